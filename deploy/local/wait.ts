import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `condition` is true, asking every `intervalMs`.
 * Resolves with true, or with false when `timeoutMs` have passed; rejects with the signal's reason when it is aborted.
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs, intervalMs = 20, signal }: { timeoutMs: number; intervalMs?: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    signal?.throwIfAborted();
    if (performance.now() >= end) return false;
    await pause(intervalMs, signal);
  }
  return true;
}

/** Waits `ms` milliseconds; rejects with the signal's reason when it is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());
}

/** Waits for `promise` at most `timeoutMs`; resolves with whether it has settled. */
export async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController();
  const settled = promise.then(
    () => true,
    () => true,
  );
  const timeout = delay(Math.max(0, timeoutMs), false, { signal: timer.signal }).catch(() => false);
  return Promise.race([settled, timeout]).finally(() => timer.abort());
}
