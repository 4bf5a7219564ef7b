import { build, type Histogram } from 'hdr-histogram-js';

/** Quantiles of durations, in milliseconds. */
export interface Latency {
  readonly n: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** The longest duration that is told apart, in microseconds: longer ones count as this. */
const HIGHEST_US = 600_000_000;

/** Quantiles of durations in milliseconds, each within 0.1 % (three digits); undefined of none. */
export function latencyOf(durationsMs: readonly number[]): Latency | undefined {
  if (durationsMs.length === 0) return undefined;
  const histogram: Histogram = build({ highestTrackableValue: HIGHEST_US, numberOfSignificantValueDigits: 3 });
  for (const ms of durationsMs) histogram.recordValue(Math.min(HIGHEST_US, Math.max(1, Math.round(ms * 1000))));
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
  const latency = { n: histogram.totalCount, p50: at(50), p90: at(90), p99: at(99), max: at(100) };
  histogram.destroy();
  return latency;
}
