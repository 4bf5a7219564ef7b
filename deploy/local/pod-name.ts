import { createHash, randomInt } from 'node:crypto';
import type { PodTemplate } from './manifest.ts';

/** Kubernetes' own letters: no vowels, so that a name is never a word, and nothing that is easily misread. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';

/** What tells one pod template from another, ten letters. */
export function templateHash(template: PodTemplate): string {
  const digest = createHash('sha256').update(JSON.stringify(template)).digest();
  return [...digest.subarray(0, 10)].map(byte => letters[byte % letters.length]).join('');
}

/** A pod's name as a cluster would give it: `<deployment>-<hash>-<suffix>`. */
export function podName(deployment: string, hash: string): string {
  const suffix = Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  return `${deployment}-${hash}-${suffix}`;
}
