import { X509Certificate } from 'node:crypto';
import { type Authorities, bundleIn, type FoundAuthorities } from './authorities.ts';
import { type Authority, createAuthority } from './authority.ts';
import { parseCertificate, parseCertificates } from './certificate.ts';
import { HOUR_MS, MINUTE_MS, type Policy } from './policy.ts';
import type { Files } from './store.ts';

/** What decides how the authorities go on. */
export interface Situation {
  readonly policy: Policy;
  readonly now: Date;
  /** What the Secrets of the identities hold. */
  readonly identities: readonly Files[];
  /** Whether a change of authority is asked for, should none be under way. */
  readonly newAuthority: boolean;
}

/** The authorities as they should be now, one step on from `before` at most, and why they differ from it if they do. */
export async function advance(before: FoundAuthorities, situation: Situation): Promise<{ after: Authorities; reason: string }> {
  const { policy, now, newAuthority } = situation;
  const { current, next, nextSince } = before;
  const create = () => createAuthority({ now, days: policy.authorityDays });
  if (!current)
    return { after: promote(before, next ?? (await create()), situation), reason: 'there was none that could be used' };

  const kept = { ...before, ...keptPrevious(before, situation), current };
  if (!next) {
    if (newAuthority) return { after: { ...kept, next: await create() }, reason: 'another was asked for' };
    if (isLate(current, now))
      return { after: { ...kept, next: await create() }, reason: 'less than a third of its life was left' };
    return { after: kept, reason: 'no leaf of the previous one can be valid any more' };
  }
  if (!isInEveryBundle(next, situation))
    return { after: { ...kept, nextSince: undefined }, reason: 'not every bundle had the next one' };
  if (!nextSince) return { after: { ...kept, nextSince: now }, reason: 'every bundle has the next one' };
  if (now.getTime() - nextSince.getTime() >= policy.settleMinutes * MINUTE_MS)
    return { after: promote(before, next, situation), reason: 'every bundle has had the next one for long enough' };
  return { after: kept, reason: 'no leaf of the previous one can be valid any more' };
}

/** Has `authority` sign from now on. Who signed before stays in the bundles until all leaves of it, here and in pods, have ended. */
function promote(before: FoundAuthorities, authority: Authority, { policy, now, identities }: Situation): Authorities {
  const previous = [...(before.current ? [before.current.certificate] : []), ...before.previous];
  const ends = identities.map(files => parseCertificate(files['tls.crt'])?.validToDate ?? now);
  const last = Math.max(endOfLeaf(policy, now).getTime(), ...[before.previousUntil ?? now, ...ends].map(Number));
  return { current: authority, previous, previousUntil: new Date(last) };
}

/** The previous ones, unless their time has come. */
function keptPrevious({ previous, previousUntil }: FoundAuthorities, { policy, now }: Situation) {
  return previousUntil && previousUntil <= now
    ? { previous: [], previousUntil: undefined }
    : { previous, previousUntil: previousUntil ?? endOfLeaf(policy, now) };
}

/** When a leaf ends that somebody else issues now, whose clock may be as much ahead as settling takes. */
const endOfLeaf = ({ leafHours, settleMinutes }: Policy, now: Date) =>
  new Date(now.getTime() + leafHours * HOUR_MS + settleMinutes * MINUTE_MS);

/** Whether less than a third of an authority's life is left. */
function isLate({ certificate }: Authority, now: Date): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return validToDate.getTime() - now.getTime() < (validToDate.getTime() - validFromDate.getTime()) / 3;
}

/** Whether whoever has a bundle at all has one with this authority. */
function isInEveryBundle({ certificate }: Authority, { identities }: Situation): boolean {
  const wanted = new X509Certificate(certificate).fingerprint256;
  return identities.every(
    ({ 'ca.crt': bundle }) =>
      bundle === undefined ||
      parseCertificates(bundleIn(bundle))?.some(({ fingerprint256 }) => fingerprint256 === wanted) === true,
  );
}
