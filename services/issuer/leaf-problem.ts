import { X509Certificate } from 'node:crypto';
import { identityOf } from '../kit/identity.ts';
import { isKeyOf, isSignedBy, parseCertificate } from './certificate.ts';
import { CLOCK_TOLERANCE_MS, HOUR_MS, type Policy } from './policy.ts';
import type { Files } from './store.ts';

/**
 * Why the leaf of `name` must be replaced, in words for the log; `undefined` when it is as `issueLeaf` would make it by this
 * authority, and has at least half of its life before it.
 */
export function leafProblem(
  name: string,
  { 'tls.crt': pem, 'tls.key': key }: Files,
  policy: Policy,
  authority: string,
  now: Date,
): string | undefined {
  if (pem === undefined && key === undefined) return 'there was none';
  const leaf = parseCertificate(pem);
  if (!leaf) return 'its certificate could not be read';
  if (!isKeyOf(leaf, key)) return 'its key did not fit';
  if (leaf.subjectAltName !== namesOf(name, policy)) return 'it was for other names';
  if (!isSignedBy(leaf, new X509Certificate(authority))) return 'it was by another authority';
  const [begin, end, time] = [leaf.validFromDate, leaf.validToDate, now].map(Number) as [number, number, number];
  if (begin > time) return 'it was not yet valid';
  if (end - time < (end - begin) / 2) return 'less than half of its life was left';
  if (end - time > policy.leafHours * HOUR_MS + CLOCK_TOLERANCE_MS) return 'it would have lived too long';
  return undefined;
}

/** The subject's alternative names as node:crypto writes them. */
function namesOf(name: string, { namespace, hosts }: Policy): string {
  const uri = `URI:${identityOf(namespace, name)}`;
  return hosts.includes(name) ? `${uri}, DNS:${name}` : uri;
}
