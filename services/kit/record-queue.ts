import { metrics } from './metrics.ts';
import type { CallRecord } from './record.ts';

/** How many records a pod keeps at most while they cannot be sent: what 1,000 calls a second leave in 10 s. */
const LIMIT = 10_000;

/** Records that wait to be sent. Full, it drops what comes next, and counts it. */
export class RecordQueue {
  #records: CallRecord[] = [];
  #dropped = 0;
  #wake: (() => void) | undefined;
  readonly #limit: number;

  constructor(limit: number = LIMIT) {
    this.#limit = limit;
  }

  /** How many records were dropped since the process began. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many records wait. */
  get length(): number {
    return this.#records.length;
  }

  /** Takes a record; never waits, never throws. */
  readonly add = (record: CallRecord): void => {
    if (this.#records.length >= this.#limit) {
      this.#dropped++;
      metrics.records.dropped.inc();
      return;
    }
    this.#records.push(record);
    this.#wake?.();
  };

  /** Removes and returns the oldest records, at most `count`. */
  take(count: number): CallRecord[] {
    return this.#records.splice(0, count);
  }

  /** Resolves when there is a record, after `ms` milliseconds, or when the signal aborts, whichever is first. */
  async whenFilled(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#records.length > 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve(); // not by an AbortSignal: its reason is an error with a stack, while a call is served
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', wake, { once: true });
    this.#wake = wake;
    await promise;
    this.#wake = undefined;
    signal.removeEventListener('abort', wake);
    clearTimeout(timer);
  }
}
