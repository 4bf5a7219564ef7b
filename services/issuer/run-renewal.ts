import type { Logger } from '../kit/log.ts';
import { AUTHORITY_SECRET, type Policy, secretOf } from './policy.ts';
import { type Found, renew } from './renew.ts';
import { ConflictError, type Held, type Store } from './store.ts';

/** The passes of one run at most. Three are needed to begin a change; each lost race with another issuer costs one more. */
const PASSES = 20;

/** What {@link runRenewal} needs. */
export interface Renewal {
  readonly store: Store;
  readonly policy: Policy;
  /** The time; the clock's by default. */
  readonly clock?: () => Date;
  /** Whether to begin a change of authority, should none be under way; not by default. */
  readonly newAuthority?: boolean;
  readonly log: Pick<Logger, 'info'>;
}

/**
 * Has the store hold what it should now: see {@link renew}. Logs each Secret that it writes, and why.
 *
 * @returns how many Secrets were written
 * @throws RangeError as `renew`; `Error` when other issuers write all the time; whatever the store throws but conflicts
 */
export async function runRenewal({
  store,
  policy,
  clock = () => new Date(),
  newAuthority = false,
  log,
}: Renewal): Promise<number> {
  let asked = newAuthority;
  let written = 0;
  for (let pass = 1; pass <= PASSES; pass++) {
    try {
      const { found, versions } = await readAll(store, policy);
      const writes = await renew(found, policy, clock(), asked);
      if (asked && writes[0]?.secret !== AUTHORITY_SECRET) log.info('a change of the authority is under way already');
      for (const { secret, changes, reason } of writes) {
        await store.write(secret, changes, versions.get(secret) ?? '');
        asked = false;
        written++;
        log.info({ secret, files: Object.keys(changes), reason }, 'written');
      }
      if (writes.length === 0) return written;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      log.info({ reason: error.message }, 'read again');
    }
  }
  throw new Error(`the Secrets were not as they should be after ${PASSES} passes; do other issuers with other settings run?`);
}

async function readAll(store: Store, policy: Policy): Promise<{ found: Found; versions: Map<string, string> }> {
  const held = new Map<string, Held>();
  const identities = await Promise.all(
    policy.names.map(async name => {
      const each = await store.read(secretOf(name));
      held.set(secretOf(name), each);
      return [name, each.files] as const;
    }),
  );
  const authority = await store.read(AUTHORITY_SECRET);
  held.set(AUTHORITY_SECRET, authority);
  return {
    found: { identities: new Map(identities), authority: authority.files },
    versions: new Map([...held].map(([secret, { version }]) => [secret, version])),
  };
}
