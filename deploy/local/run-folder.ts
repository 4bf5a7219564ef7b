import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { type RunInfo, readRunInfo } from '../../services/lab/cli/local-run.ts';
import { takeLock } from './lock.ts';
import { type RunPaths, runPaths } from './paths.ts';
import { reapLeftovers } from './pid-records.ts';
import { processIdentity } from './process-identity.ts';
import { RunError } from './run-error.ts';

/** A run folder that this process holds. */
export interface RunFolder {
  readonly paths: RunPaths;
  /** Writes down where the edge is, for other processes. */
  announce(edge: string): void;
  /** Removes what only a running mesh needs (not its logs and volumes) and lets the folder go. */
  release(): Promise<void>;
}

/**
 * Takes the folder `dir` for one run: makes it (mode 0700), ends the processes that a killed run has left, removes its files and logs.
 * Throws a `RunError` when another process runs in it; that run is not touched.
 */
export async function takeRunFolder(dir: string, report: (line: string) => void): Promise<RunFolder> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
  const paths = runPaths(dir);
  refuseOddPath(dir);
  const lock = await lockFolder(paths);
  for (const leftover of await reapLeftovers(paths.pids)) report(`ended a leftover of an earlier run: ${leftover}`);
  removeTransient(paths);
  rmSync(paths.logs, { recursive: true, force: true });
  for (const folder of [paths.pods, paths.pids, paths.logs, paths.volumes]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const info: RunInfo = { pid: process.pid, identity: processIdentity(process.pid) ?? '', startedAt: new Date().toISOString() };
  const write = (content: RunInfo) => writeFileSync(paths.supervisor, JSON.stringify(content), { mode: 0o600 });
  write(info);
  return {
    paths,
    announce: edge => write({ ...info, edge }),
    async release() {
      removeTransient(paths);
      await new Promise(resolve => lock.close(resolve));
    },
  };
}

/** Who runs in `dir`; undefined when nobody does. */
export function runInfo(dir: string): RunInfo | undefined {
  const info = readRunInfo(dir);
  return info !== undefined && processIdentity(info.pid) === info.identity ? info : undefined;
}

/** Removes what a run that is over has left: its files, not its logs and volumes. */
export function removeTransient(paths: RunPaths): void {
  const { pods, pids, identities, endpoints, supervisor, socket } = paths;
  const files = [pods, pids, identities, endpoints, `${endpoints}.draft`, supervisor, socket];
  for (const file of files) rmSync(file, { recursive: true, force: true });
}

async function lockFolder({ dir }: RunPaths): Promise<Server> {
  const lock = await takeLock(createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, 32));
  if (lock === undefined) throw alreadyRunning(dir);
  return lock;
}

/** Says who runs in `dir` and what to do about it. */
export function alreadyRunning(dir: string): RunError {
  const info = runInfo(dir);
  const who = info === undefined ? '' : ` since ${new Date(info.startedAt).toLocaleString('sv')} (pid ${info.pid})`;
  return new RunError(`already running${who}. See it with: make status. End it with: make down.`);
}

/** Paths of this folder are written into YAML and JSON texts as they are. */
function refuseOddPath(dir: string): void {
  const odd = /[,:#"'\\{}[\]\p{Cc}]/u.exec(dir)?.[0];
  if (odd === undefined) return;
  throw new RunError(
    `the folder ${dir} has a ${JSON.stringify(odd)} in its path, which Envoy's files cannot hold. Move the repository, or use --run-dir.`,
  );
}
