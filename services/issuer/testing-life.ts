import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { AUTHORITY_SECRET, HOUR_MS, MINUTE_MS, type Policy, secretOf } from './policy.ts';
import { runRenewal } from './run-renewal.ts';
import { type MemoryStore, memoryStore } from './testing-memory-store.ts';

/** The policy of the tests: three identities, one of which is a host too. */
export const policy: Policy = {
  namespace: 'mesh',
  names: ['users', 'orders', 'postgresql'],
  hosts: ['postgresql'],
  leafHours: 24,
  authorityDays: 90,
  settleMinutes: 5,
};

/** When the lives of the tests begin, in milliseconds. */
export const BIRTH = Date.parse('2030-01-01T00:00:00Z');

/** Pods whose identities an issuer renews, in a time of their own. */
export interface Life {
  readonly store: MemoryStore;
  /** The time, in milliseconds. */
  readonly now: () => number;
  readonly pass: (milliseconds: number) => void;
  /** One run of an issuer, whose clock is ahead by `skewMs`; how many Secrets it has written. */
  readonly run: (options?: Partial<Policy> & { newAuthority?: boolean; skewMs?: number }) => Promise<number>;
  /** How many pairs of a leaf and a bundle have been verified. */
  readonly verified: () => number;
}

interface InForce {
  readonly pem: string;
  /** When a newer one has replaced it. */
  until: number;
}

/**
 * Begins one. From then on every leaf is verified, at each change of a Secret and at each passage of time, by every bundle that is in force or was in the
 * last `settleMinutes`, and so is every leaf that was in force then.
 */
export function beginLife(): Life {
  let time = BIRTH;
  let verified = 0;
  const store = memoryStore();
  const [leaves, bundles]: [InForce[], InForce[]] = [[], []];

  const note = (list: InForce[], file: string) => {
    const pems = policy.names.flatMap(name => store.files(secretOf(name))[file] ?? []);
    for (const [index, { until }] of [...list.entries()].reverse()) if (time - until > HOUR_MS) list.splice(index, 1);
    for (const known of list) if (known.until === Infinity && !pems.includes(known.pem)) known.until = time;
    for (const pem of pems) if (!list.some(known => known.pem === pem)) list.push({ pem, until: Infinity });
  };
  const verify = () => {
    const inForce = (list: InForce[]) => list.filter(({ until }) => time - until < policy.settleMinutes * MINUTE_MS);
    for (const leaf of inForce(leaves))
      for (const bundle of inForce(bundles)) {
        if (!verifies(leaf.pem, bundle.pem, time))
          assert.fail(`${new Date(time).toISOString()}: a leaf meets a bundle by which it cannot be verified`);
        verified++;
      }
  };
  store.onWrite = () => {
    note(leaves, 'tls.crt');
    note(bundles, 'ca.crt');
    verify();
  };
  return {
    store,
    now: () => time,
    pass(milliseconds) {
      time += milliseconds;
      verify();
    },
    run: ({ newAuthority = false, skewMs = 0, ...changed } = {}) =>
      runRenewal({
        store,
        policy: { ...policy, ...changed },
        clock: () => new Date(time + skewMs),
        newAuthority,
        log: { info: () => {} },
      }),
    verified: () => verified,
  };
}

const verdicts = new Map<string, { from: number; to: number } | undefined>();

/** Whether a leaf is verified by one of a bundle's certificates at a time, as node:crypto and the rules of X.509 have it. */
function verifies(leaf: string, bundle: string, time: number): boolean {
  const authorities = bundle.split(/(?<=-----END CERTIFICATE-----\n)/);
  return authorities.some(authority => {
    const key = leaf + authority;
    if (!verdicts.has(key)) verdicts.set(key, validity(new X509Certificate(leaf), new X509Certificate(authority)));
    const verdict = verdicts.get(key);
    return verdict !== undefined && verdict.from <= time && time < verdict.to;
  });
}

/** Between which times a leaf is verified by an authority; `undefined` when never. */
function validity(leaf: X509Certificate, authority: X509Certificate) {
  if (!authority.ca || !leaf.checkIssued(authority) || !leaf.verify(authority.publicKey)) return undefined;
  return {
    from: Math.max(+leaf.validFromDate, +authority.validFromDate),
    to: Math.min(+leaf.validToDate, +authority.validToDate),
  };
}

/** What is in force: the certificates of the authorities, and those that the bundles and leaves of all identities are by. */
export function describeLife({ store }: Life) {
  const authority = store.files(AUTHORITY_SECRET);
  const names = new Map<string, string>();
  for (const role of ['current', 'next', 'previous'])
    for (const pem of (authority[`${role}.crt`] ?? '').split(/(?<=-----END CERTIFICATE-----\n)/))
      if (pem) names.set(new X509Certificate(pem).subject, role);
  const identities = policy.names.map(name => store.files(secretOf(name)));
  const roleOf = (subject: string) => names.get(subject) ?? 'unknown';
  return {
    bundles: [
      ...new Set(
        identities.map(({ 'ca.crt': bundle = '' }) =>
          bundle
            .split(/(?<=-----END CERTIFICATE-----\n)/)
            .map(pem => (pem ? roleOf(new X509Certificate(pem).subject) : 'none'))
            .join(' '),
        ),
      ),
    ],
    leaves: [...new Set(identities.map(({ 'tls.crt': leaf }) => (leaf ? roleOf(new X509Certificate(leaf).issuer) : 'none')))],
  };
}
