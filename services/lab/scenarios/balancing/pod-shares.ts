import { type CallPicture, hopsOf } from '../../call-picture.ts';
import { share } from '../../measure/statistics.ts';

/** A pod has its share when it has half of what would be fair of the calls of a second, or of this many calls for each pod if these are more. */
const SHARE = 0.5;
const LEAST_CALLS = 4;

/** A call that has reached a pod. */
export interface PodCall {
  readonly pod: string;
  /** When it was begun, by the lab's clock: milliseconds since the epoch. */
  readonly at: number;
}

/** A service that has got more pods. */
export interface ScaleUp {
  /** The names of the pods that there were, and of all when the new ones were ready. */
  readonly base: readonly string[];
  readonly all: readonly string[];
  /** When they were: milliseconds since the epoch. */
  readonly readyAt: number;
}

/** Who had which share of the calls. */
export interface PodShares {
  /** See {@link unevenness}: of the pods that there were, all the time. */
  readonly old: number;
  /** Of all, from when all new ones had their share; where one never had, in the second half of the time. */
  readonly after: number;
  /** The share of the new pods that have got theirs. */
  readonly served: number;
  /** From when the new pods were ready until the last had its share, or, where one never had, until the last call: seconds. */
  readonly seconds: number;
}

/** The calls that reached a method, by its last name, in the order in which they were begun. */
export function podCalls(pictures: readonly CallPicture[], method: string): PodCall[] {
  const calls = pictures.flatMap(picture => hopsOf(picture, method).map(({ pod }) => ({ pod, at: picture.begunAt })));
  return calls.sort((a, b) => a.at - b.at);
}

/** Who had which share of these calls, which are in order; `rate` of them were begun in a second. */
export function podShares(calls: readonly PodCall[], { base, all, readyAt }: ScaleUp, rate: number): PodShares {
  const recent = Math.max(rate, LEAST_CALLS * all.length);
  const enough = (SHARE * recent) / all.length;
  const young = all.filter(name => !base.includes(name));
  const since = young.map(name => hadAt(calls, name, enough, recent));
  const servedAt = Math.max(readyAt, ...since);
  const endedAt = calls.at(-1)?.at ?? Number.NaN;
  const from = servedAt < Infinity ? servedAt : (readyAt + endedAt) / 2;
  return {
    old: unevenness(calls, base),
    after: unevenness(
      calls.filter(({ at }) => at >= from),
      all,
    ),
    served: share(since, at => at < Infinity),
    seconds: (Math.min(servedAt, endedAt) - readyAt) / 1000,
  };
}

/**
 * How many times its share the busiest of these pods has had: 1 when all have had the same, as many as there are pods when one has had
 * all; NaN when there were no calls.
 */
export function unevenness(calls: readonly PodCall[], pods: readonly string[]): number {
  const counts = pods.map(name => calls.filter(({ pod }) => pod === name).length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return (Math.max(...counts) * pods.length) / total;
}

/** When a pod had `enough` of so many `recent` calls for the first time; Infinity when it never had. */
function hadAt(calls: readonly PodCall[], name: string, enough: number, recent: number): number {
  let its = 0;
  for (const [n, { pod, at }] of calls.entries()) {
    if (pod === name) its++;
    if (calls[n - recent]?.pod === name) its--;
    if (its >= enough) return at;
  }
  return Infinity;
}
