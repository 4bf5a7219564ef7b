import { status } from '@grpc/grpc-js';
import { pause } from '../kit/pause.ts';
import { RpcError } from '../kit/rpc-error.ts';
import type { Control, PodSummary } from './control.ts';

/** What a rollout has done. */
export interface Rollout {
  /** The pods before it, and after it, when all of these were ready. */
  readonly before: readonly PodSummary[];
  readonly after: readonly PodSummary[];
  /** How long it took, in milliseconds. */
  readonly tookMs: number;
}

/** Replaces all pods of a service; see {@link restartAll} and {@link killAll}. `known` resolves when callers use these pods. */
export type Replace = (
  control: Control,
  service: string,
  signal: AbortSignal,
  known: (pods: readonly PodSummary[]) => Promise<void>,
) => Promise<Rollout>;

/** How often the pods are looked at, in milliseconds, and for how long at most until they are as they shall be. */
const LOOK_EVERY_MS = 200;
const LONGEST_MS = 90_000;
const SCALE_BACK_MS = 10_000;

/** Replaces all pods as the Deployment does, and resolves when the last of the old ones is gone. */
export const restartAll: Replace = (control, service, signal) =>
  timed(control, service, signal, async names => {
    await control.restart(service, signal);
    await whenReplaced(control, service, names, signal);
  });

/**
 * Ends one pod after the other, at once and without a word to anybody, each when the one before has been replaced and callers know
 * the new one: else there are moments when they know none that is there, and what that loses is not what a kill does.
 */
export const killAll: Replace = (control, service, signal, known) =>
  timed(control, service, signal, async names => {
    for (const [n, name] of names.entries()) {
      if (n > 0) await known(await control.pods(service, signal));
      await control.killPod(service, name, signal);
      await whenReplaced(control, service, [name], signal);
    }
  });

/** Does `work` with so many pods of a service, all ready, and gives it back the number that it had, whatever has happened. */
export async function withPods<Result>(
  control: Control,
  service: string,
  count: number,
  signal: AbortSignal,
  work: (pods: readonly PodSummary[]) => Promise<Result>,
): Promise<Result> {
  const had = await control.replicas(service, signal);
  try {
    if (had !== count) await control.scale(service, count, signal);
    await whenReplaced(control, service, [], signal);
    return await work(await control.pods(service, signal));
  } finally {
    // also when the run has been stopped, and its signal with it
    if (had !== count) await control.scale(service, had, AbortSignal.timeout(SCALE_BACK_MS));
  }
}

async function timed(
  control: Control,
  service: string,
  signal: AbortSignal,
  replace: (names: readonly string[]) => Promise<void>,
): Promise<Rollout> {
  await whenReplaced(control, service, [], signal); // what an earlier run has left behind has ended
  const before = await control.pods(service, signal);
  const startedAt = performance.now();
  await replace(before.map(({ name }) => name));
  return { before, after: await control.pods(service, signal), tookMs: performance.now() - startedAt };
}

/** Resolves when there are as many pods as there shall be, each ready and none of these; rejects with DEADLINE_EXCEEDED when that takes too long. */
async function whenReplaced(control: Control, service: string, old: readonly string[], signal: AbortSignal): Promise<void> {
  const isNew = ({ name, ready, terminating }: PodSummary) => ready && !terminating && !old.includes(name);
  const giveUpAt = performance.now() + LONGEST_MS;
  for (;;) {
    const [pods, replicas] = await Promise.all([control.pods(service, signal), control.replicas(service, signal)]);
    if (pods.length === replicas && pods.every(isNew)) return;
    if (performance.now() > giveUpAt) throw tooLong(service);
    await pause(LOOK_EVERY_MS, signal);
  }
}

function tooLong(service: string): RpcError {
  const message = `the pods of ${service} were not replaced within ${LONGEST_MS / 1000} s; look at its pods, and run the scenario again`;
  return new RpcError(status.DEADLINE_EXCEEDED, message, { reason: 'ROLLOUT_TOO_LONG' });
}
