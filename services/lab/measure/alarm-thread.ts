import { parentPort } from 'node:worker_threads';
import type { AlarmTimes, Rung } from './alarm.ts';

/** The monotonic clock of the machine in milliseconds: the same in every thread. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Tells the main thread, at each moment, how many have come. Blocks this thread only, which has nothing else to do. */
function ring({ id, from, times, stop }: AlarmTimes): void {
  for (let come = 0; come < times.length; ) {
    const leftMs = from + (times[come] ?? 0) - now();
    // Sleeps in the kernel with fractions of a millisecond, which setTimeout() does not have.
    if (leftMs > 0 && Atomics.wait(stop, 0, 0, leftMs) !== 'timed-out') return;
    for (const until = now() - from; come < times.length && (times[come] ?? 0) <= until; ) come++;
    parentPort?.postMessage({ id, come } satisfies Rung);
  }
}

parentPort?.on('message', ring);
