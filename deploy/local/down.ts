import { existsSync } from 'node:fs';
import type { RunInfo } from '../../services/lab/cli/local-run.ts';
import { runPaths } from './paths.ts';
import { killGroup, reapLeftovers } from './pid-records.ts';
import { processIdentity } from './process-identity.ts';
import { removeTransient, runInfo } from './run-folder.ts';
import { waitUntil } from './wait.ts';

/** How long a supervisor may take to stop everything before it is killed. */
const stopTimeoutMs = 90_000;

/**
 * Stops the run in `dir`, also what a killed supervisor has left, and removes its files but for logs and volumes.
 * Returns what it did, a line each; nothing to do is no error.
 */
export async function down(dir: string, stopMs = stopTimeoutMs): Promise<string[]> {
  const done: string[] = [];
  const info = runInfo(dir);
  if (info !== undefined) done.push(await stopSupervisor(info, stopMs));
  const paths = runPaths(dir);
  for (const leftover of await reapLeftovers(paths.pids)) done.push(`ended a leftover: ${leftover}`);
  if (existsSync(dir)) removeTransient(paths);
  return done;
}

async function stopSupervisor({ pid, identity }: RunInfo, timeoutMs: number): Promise<string> {
  const gone = () => processIdentity(pid) !== identity;
  process.kill(pid, 'SIGTERM');
  if (await waitUntil(gone, { timeoutMs })) return `stopped (pid ${pid})`;
  killGroup(pid);
  await waitUntil(gone, { timeoutMs: 5_000 });
  return `killed: it had not stopped after ${timeoutMs / 1000} s (pid ${pid})`;
}
