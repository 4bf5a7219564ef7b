import { preciseNow } from '../../kit/record.ts';
import { setAlarm } from './alarm.ts';

/** When a call was to begin, and did: milliseconds since the epoch. */
export interface Begin {
  readonly dueAt: number;
  readonly begunAt: number;
}

/**
 * Makes calls when they are due, whatever has become of those before: the load does not wait for a slow callee. No call begins before
 * it is due. A latency counts from when the call was due, so a stall shows in every call that it delays.
 *
 * @param times when each call is due, in milliseconds from the beginning, ascending
 * @param call is given the number of the call, from 0; one that rejects ends the load
 * @param over when it aborts, no further call is begun
 * @returns the calls' results in order, once all have ended
 * @throws what the first call to reject did, or the signal's reason when it aborts; after the calls under way have ended
 */
export async function openLoop<Outcome>(
  times: readonly number[],
  call: (n: number, begin: Begin) => Promise<Outcome>,
  signal: AbortSignal,
  over?: AbortSignal,
): Promise<Outcome[]> {
  const open: Promise<Outcome>[] = [];
  const failed = new AbortController();
  const ended = AbortSignal.any([signal, failed.signal]);
  using alarm = await setAlarm(times);
  try {
    for (const [n, time] of times.entries()) {
      const dueAt = alarm.from + time;
      await alarm.moment(n, ended);
      if (over?.aborted) break;
      const outcome = call(n, { dueAt, begunAt: preciseNow() });
      // at once: until the last call is due, nobody else would hear of it, and Node ends a process for that
      outcome.catch(reason => failed.abort(reason));
      open.push(outcome);
    }
  } finally {
    await Promise.allSettled(open);
  }
  ended.throwIfAborted();
  return await Promise.all(open);
}
