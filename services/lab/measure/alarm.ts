import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { preciseNow } from '../../kit/record.ts';

/** What the thread of an alarm is told. */
export interface AlarmTimes {
  /** Tells an alarm from the one that the same thread had before. */
  readonly id: number;
  /** The beginning, by `process.hrtime`, in milliseconds. */
  readonly from: number;
  /** Milliseconds from the beginning, ascending. */
  readonly times: Float64Array;
  /** Anything but 0 in its first place ends the alarm. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** What the thread answers: how many moments of an alarm have come. */
export interface Rung {
  readonly id: number;
  readonly come: number;
}

/** Wakes the event loop at moments that are known before. */
export interface Alarm extends Disposable {
  /** The beginning, by `preciseNow()`. */
  readonly from: number;
  /** Resolves at the nth moment or after it, never before; rejects with the reason of the signal as soon as it aborts. */
  moment(n: number, signal: AbortSignal): Promise<void>;
}

/** Threads that wait for their next alarm: a start takes some 30 ms of CPU time, which is not to be part of a measurement. */
const idle: Worker[] = [];
let alarms = 0;

async function thread(): Promise<Worker> {
  const waiting = idle.pop();
  if (waiting) return waiting;
  // Without the preloads of this process: they would begin telemetry of their own.
  const worker = new Worker(new URL('./alarm-thread.ts', import.meta.url), { execArgv: [] });
  await once(worker, 'online');
  return worker;
}

/**
 * Sets an alarm for `times`, in milliseconds from its beginning, ascending. A thread sleeps until each of them: a timer of the event
 * loop knows whole milliseconds only and fires up to one of them early or late; to spin instead would take a core from what is
 * measured.
 */
export async function setAlarm(times: readonly number[]): Promise<Alarm> {
  const worker = await thread();
  const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const id = ++alarms;
  let come = 0;
  let broken: Error | undefined;
  let wake = () => {};
  const onMessage = (rung: Rung) => {
    if (rung.id !== id) return; // sent while the alarm before was ended
    come = rung.come;
    wake();
  };
  const onError = (error: Error) => {
    broken = error;
    wake();
  };
  worker.on('message', onMessage).on('error', onError).ref();
  const from = preciseNow();
  const told: AlarmTimes = { id, from: Number(process.hrtime.bigint()) / 1e6, times: Float64Array.from(times), stop };
  worker.postMessage(told);

  async function rings(n: number, signal: AbortSignal): Promise<void> {
    const onAbort = () => wake();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (come <= n && broken === undefined && !signal.aborted) {
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    if (broken) throw broken;
  }

  return {
    from,
    async moment(n, signal) {
      const at = from + (times[n] ?? 0);
      if (preciseNow() < at) await rings(n, signal);
      signal.throwIfAborted();
      while (preciseNow() < at) await turn(); // the clocks round differently, by less than a microsecond
    },
    [Symbol.dispose]() {
      Atomics.store(stop, 0, 1);
      Atomics.notify(stop, 0);
      worker.off('message', onMessage).off('error', onError).unref();
      if (!broken) idle.push(worker);
    },
  };
}
