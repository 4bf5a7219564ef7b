import { pause } from '../../kit/pause.ts';
import { preciseNow } from '../../kit/record.ts';

/** When a call was to begin, and did: milliseconds since the epoch. */
export interface Begin {
  readonly dueAt: number;
  readonly begunAt: number;
}

/**
 * Makes calls when they are due, whatever has become of those before: the load does not wait for who is slow. What a call takes is
 * counted from when it was due, so that a stall shows in every call that it delays.
 *
 * @param times when each call is due, in milliseconds from now
 * @param call is given the number of the call, from 0; must not reject
 * @param over when it aborts, no further call is begun
 * @returns the calls' results in order, once all have ended
 * @throws the signal's reason when it aborts, after the calls under way have ended
 */
export async function openLoop<Outcome>(
  times: readonly number[],
  call: (n: number, begin: Begin) => Promise<Outcome>,
  signal: AbortSignal,
  over?: AbortSignal,
): Promise<Outcome[]> {
  const open: Promise<Outcome>[] = [];
  const startAt = preciseNow();
  try {
    for (const [n, time] of times.entries()) {
      const dueAt = startAt + time;
      const earlyMs = dueAt - preciseNow();
      if (earlyMs > 0) await pause(earlyMs, signal);
      signal.throwIfAborted();
      if (over?.aborted) break;
      open.push(call(n, { dueAt, begunAt: preciseNow() }));
    }
  } finally {
    await Promise.all(open);
  }
  signal.throwIfAborted();
  return await Promise.all(open);
}
