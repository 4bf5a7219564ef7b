import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Latency } from './latency.ts';

/** How often the event loop is asked to wake, in milliseconds: 100 times a second cost 0.1 % of a core. */
const EVERY_MS = 10;

/** Measures how late the event loop wakes. */
export interface LoopDelayMeter extends Disposable {
  /** The delays until now, in milliseconds; undefined when it has not woken yet. */
  read(): Latency | undefined;
}

/** Begins to measure how late this process's event loop wakes: what an answer waits that has come while other work goes on. */
export function meterLoopDelay(): LoopDelayMeter {
  const histogram = monitorEventLoopDelay({ resolution: EVERY_MS });
  histogram.enable();
  // It records the time from one wake-up to the next, in nanoseconds.
  const late = (ns: number) => Math.max(0, ns / 1e6 - EVERY_MS);
  const at = (percentile: number) => late(histogram.percentile(percentile));
  return {
    read: () =>
      histogram.count === 0
        ? undefined
        : { n: histogram.count, p50: at(50), p90: at(90), p99: at(99), max: late(histogram.max) },
    [Symbol.dispose]: () => void histogram.disable(),
  };
}
