import { existsSync } from 'node:fs';
import { CLUSTER_DELAY_MS } from './endpoints.ts';
import { type Mesh, type MeshOptions, type Progress, startMesh } from './mesh.ts';
import { runPaths } from './paths.ts';
import { messageOf, RunError } from './run-error.ts';
import { waitUntil } from './wait.ts';

/** What the supervisor tells the command that started it. */
export type StartMessage = { progress: Progress } | { ready: { edge: string } } | { failed: string };

/**
 * Runs the mesh until SIGTERM or SIGINT, or until its run folder is removed, and stops it then. Tells its parent, over the IPC channel, how the start goes;
 * a parent that goes away before the mesh is ready ends the start. Sets the exit code 1 when the mesh cannot start.
 */
export async function supervise(options: Omit<MeshOptions, 'report' | 'signal'>): Promise<void> {
  const stop = new AbortController();
  const abandon = () => stop.abort(new RunError('stopped before everything was ready'));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, abandon);
  process.once('disconnect', abandon);
  let mesh: Mesh | undefined;
  try {
    mesh = await startMesh({
      endpointDelayMs: CLUSTER_DELAY_MS,
      ...options,
      signal: stop.signal,
      report: progress => tell({ progress }),
    });
    await mesh.whenReady();
    process.off('disconnect', abandon);
    tell({ ready: { edge: mesh.edge } });
    await overOrRemoved(runPaths(options.runDir).supervisor, stop.signal);
  } catch (error) {
    process.exitCode = 1;
    console.error(error instanceof RunError ? error.message : error);
    tell({ failed: messageOf(error) });
    if (!(error instanceof RunError)) throw error;
  } finally {
    await mesh?.stop();
    if (process.connected) process.disconnect?.();
  }
}

function tell(message: StartMessage): void {
  // A parent that has gone hears nothing.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/** Resolves when the signal is aborted, or when somebody has removed the run's files: nobody could find this run any more to end it. */
async function overOrRemoved(file: string, signal: AbortSignal): Promise<void> {
  const gone = () => signal.aborted || !existsSync(file);
  await waitUntil(gone, { timeoutMs: Number.POSITIVE_INFINITY, intervalMs: 1000, signal }).catch(() => {});
}
