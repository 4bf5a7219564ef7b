import type { Probe } from './manifest.ts';
import type { Check } from './probe.ts';
import { pause, waitUntil } from './wait.ts';

/** Until its first success a container is asked this often, whatever its period: starts should be fast. */
const startingIntervalMs = 150;

/**
 * Waits for the first success of a startup probe. Resolves with false when the probe's own limit
 * (initial delay + period * failure threshold) has passed; rejects when the signal is aborted.
 */
export async function started(probe: Probe, check: Check, signal: AbortSignal): Promise<boolean> {
  const { initialDelaySeconds = 0, failureThreshold = 3 } = probe;
  const timeoutMs = (initialDelaySeconds + periodSeconds(probe) * failureThreshold) * 1000;
  return waitUntil(() => check(signal), { timeoutMs, intervalMs: startingIntervalMs, signal });
}

/** Reports each change between ready and not ready, first when it becomes ready, until the signal is aborted (then it rejects). */
export async function watchReadiness(
  probe: Probe,
  check: Check,
  onChange: (ready: boolean) => void,
  signal: AbortSignal,
): Promise<never> {
  await waitUntil(() => check(signal), { timeoutMs: Number.POSITIVE_INFINITY, intervalMs: startingIntervalMs, signal });
  for (let ready = true; ; ready = !ready) {
    signal.throwIfAborted();
    onChange(ready);
    await inARow(!ready, (ready ? probe.failureThreshold : probe.successThreshold) ?? (ready ? 3 : 1), probe, check, signal);
  }
}

/** Resolves once the probe has failed as often in a row as it may; rejects when the signal is aborted. */
export async function untilDead(probe: Probe, check: Check, signal: AbortSignal): Promise<void> {
  await pause((probe.initialDelaySeconds ?? 0) * 1000, signal);
  await inARow(false, probe.failureThreshold ?? 3, probe, check, signal);
}

/** Resolves once `wanted` was the answer `count` times in a row, asking once in each period. */
async function inARow(wanted: boolean, count: number, probe: Probe, check: Check, signal: AbortSignal): Promise<void> {
  for (let seen = 0; seen < count; ) {
    await pause(periodSeconds(probe) * 1000, signal);
    seen = (await check(signal)) === wanted ? seen + 1 : 0;
    signal.throwIfAborted();
  }
}

const periodSeconds = (probe: Probe) => probe.periodSeconds ?? 10;
