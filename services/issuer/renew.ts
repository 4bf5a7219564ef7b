import { X509Certificate } from 'node:crypto';
import { identityOf } from '../kit/identity.ts';
import { advance } from './advance.ts';
import {
  type Authorities,
  bundleFile,
  bundleIn,
  bundleOf,
  changesTo,
  type FoundAuthorities,
  readAuthorities,
} from './authorities.ts';
import { issueLeaf } from './authority.ts';
import { leafProblem } from './leaf-problem.ts';
import { AUTHORITY_SECRET, CLOCK_TOLERANCE_MS, type Policy, secretOf } from './policy.ts';
import type { FileChanges, Files } from './store.ts';

/** What the Secrets hold. The authorities must have been read last: then no bundle can be newer than they are. */
export interface Found {
  /** The Secrets of the identities, by the name of each. */
  readonly identities: ReadonlyMap<string, Files>;
  readonly authority: Files;
}

/** A Secret that is to change. */
export interface Write {
  readonly secret: string;
  readonly changes: FileChanges;
  /** Why, for the log. */
  readonly reason: string;
}

/**
 * What is to be written, in this order, and at most once to each Secret; nothing when all is well. Write it, and ask again with
 * what is then found, until it is nothing; it does no harm when only a part of it was written, or when others do the same meanwhile.
 *
 * An authority changes in steps, so that no leaf ever meets a bundle by which it cannot be verified: the next one is put into every
 * bundle; when every bundle has had it for `settleMinutes`, it signs, and all leaves are replaced; when no leaf of the previous one
 * can be valid any more, that one leaves the bundles. A change begins when less than a third of the authority's life is left, or by
 * `newAuthority`, unless one is under way. An authority that cannot be used, such as one that has ended, is replaced at once.
 *
 * @throws RangeError when what is found comes from the future: with a clock so wrong nothing that is made would be valid
 */
export async function renew(found: Found, policy: Policy, now: Date, newAuthority = false): Promise<Write[]> {
  const before = readAuthorities(found.authority, now);
  checkClock(before, now);
  const identities = [...found.identities.values()];
  const { after, reason } = await advance(before, { policy, now, identities, newAuthority });
  const changes = changesTo(after, found.authority);
  const authority = { secret: AUTHORITY_SECRET, changes, reason };
  const writes = await Promise.all(
    policy.names.map(name => renewIdentity(name, found.identities.get(name) ?? {}, { policy, now, authorities: after })),
  );
  return [authority, ...writes].filter(write => Object.keys(write.changes).length > 0);
}

async function renewIdentity(
  name: string,
  files: Files,
  { policy, now, authorities }: { policy: Policy; now: Date; authorities: Authorities },
): Promise<Write> {
  const secret = secretOf(name);
  const bundle = bundleOf(authorities);
  const trust = bundleIn(files['ca.crt']) === bundle ? {} : { 'ca.crt': bundleFile(bundle, now) };
  const problem = leafProblem(name, files, policy, authorities.current.certificate, now);
  if (problem === undefined) return { secret, changes: trust, reason: 'the bundle was another' };
  const leaf = await issueLeaf(authorities.current, {
    identity: identityOf(policy.namespace, name),
    now,
    hours: policy.leafHours,
    dnsNames: policy.hosts.includes(name) ? [name] : [],
  });
  return { secret, changes: { 'tls.crt': leaf.certificate, 'tls.key': leaf.key, ...trust }, reason: problem };
}

function checkClock({ current, next, nextSince }: FoundAuthorities, now: Date): void {
  const begins = [current, next].flatMap(each => (each ? [new X509Certificate(each.certificate).validFromDate] : []));
  const latest = new Date(Math.max(...[...begins, nextSince ?? 0].map(Number)));
  if (latest.getTime() - now.getTime() <= CLOCK_TOLERANCE_MS) return;
  throw new RangeError(
    `the Secret ${AUTHORITY_SECRET} says ${latest.toISOString()}, but the clock here says ${now.toISOString()}; correct the clock, or, if it was wrong then, empty the Secret`,
  );
}
