import { setTimeout } from 'node:timers/promises';

/** Waits for `ms` milliseconds; throws the reason of `signal`, and leaves no timer behind, as soon as it aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
