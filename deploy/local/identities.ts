import { join } from 'node:path';
import { type Policy, secretOf } from '../../services/issuer/policy.ts';
import { runRenewal } from '../../services/issuer/run-renewal.ts';
import type { Store } from '../../services/issuer/store.ts';
import { folderStore } from '../../services/issuer/store-folder.ts';
import { messageOf } from './run-error.ts';

/** The identities of the pods, kept as the chart's issuer keeps them in a cluster. */
export interface Identities {
  /** The folder of each Secret that pods mount, by the Secret's name. */
  readonly secrets: ReadonlyMap<string, string>;
  /** The Secrets, that of the authority among them. */
  readonly store: Store;
  readonly policy: Policy;
  /** Renews what is due, or begins a change of authority; as the issuer does by itself each minute. */
  renew(newAuthority?: boolean): Promise<void>;
  /** Renews no more. */
  close(): void;
}

/** How often is looked at what is due, in milliseconds; a machine that has slept renews within this time. */
const INTERVAL_MS = 60_000;

/**
 * Makes an authority and an identity for each name of `policy` in folders below `dir`, which only their owner can read, and renews
 * them until it is closed. Keys are written there and nowhere else.
 */
export async function keepIdentities(dir: string, policy: Policy): Promise<Identities> {
  const store = folderStore(dir);
  const log = { info: () => {} };
  const renew = async (newAuthority = false) => void (await runRenewal({ store, policy, newAuthority, log }));
  await renew();
  const timer = setInterval(() => {
    renew().catch((error: unknown) => console.error(`cannot renew the identities: ${messageOf(error)}`));
  }, INTERVAL_MS).unref();
  const secrets = policy.names.map(name => [secretOf(name), join(dir, secretOf(name))] as const);
  return { secrets: new Map(secrets), store, policy, renew, close: () => clearInterval(timer) };
}
