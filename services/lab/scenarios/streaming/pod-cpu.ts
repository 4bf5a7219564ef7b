import { pause } from '../../../kit/pause.ts';
import type { Bench } from '../../bench.ts';
import { sum } from '../../measure/statistics.ts';

/** By when every pod has said what it uses, in milliseconds: each does so every second. */
const SAID_WITHIN_MS = 1500;

/** What each pod of a service has used since it began, in microseconds. */
export type PodCpu = ReadonlyMap<string, number>;

/**
 * What the pods of a service have used until now; empty when one of them says nothing for 1.5 s.
 *
 * @param nudge makes a marked call to the service, after which a pod says so at once; done once for each pod
 */
export async function cpuOf(
  { pods, signal }: Pick<Bench<unknown>, 'pods' | 'signal'>,
  service: string,
  nudge: () => Promise<unknown>,
): Promise<PodCpu> {
  const before = new Map(pods()); // their clocks may not be this one, so any other time than this is a later one
  const theirs = () => [...pods()].filter(([, usage]) => usage.service === service);
  for (const _ of theirs()) await nudge();
  const giveUp = performance.now() + SAID_WITHIN_MS;
  while (!theirs().every(([pod, { sampledAt }]) => sampledAt !== before.get(pod)?.sampledAt)) {
    if (performance.now() > giveUp) return new Map();
    await pause(5, signal);
  }
  return new Map(theirs().map(([pod, { cpuUs }]) => [pod, cpuUs]));
}

/** What was used between two moments, by the pods that were there at both, in microseconds; NaN when there was none. */
export function usedUs(before: PodCpu, after: PodCpu): number {
  const both = [...after].flatMap(([pod, us]) => (before.has(pod) ? [us - (before.get(pod) ?? 0)] : []));
  return both.length === 0 ? Number.NaN : sum(both);
}
