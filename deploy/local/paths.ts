import { join, relative } from 'node:path';
import { DEFAULT_RUN_DIR, SUPERVISOR_FILE } from '../../services/lab/cli/local-run.ts';

/** The repository's root folder. */
export const repo = join(import.meta.dirname, '..', '..');

/** Where fetched tools live; holds finished tools only. */
export const toolsDir = join(repo, '.tools');

/** Where the run that `make up` starts keeps its files, unless told otherwise. */
export const defaultRunDir = DEFAULT_RUN_DIR;

/** The files of one run; everything lies below `dir` and only its owner can read it. */
export interface RunPaths {
  readonly dir: string;
  /** One folder for each pod: mounted files and empty directories. */
  readonly pods: string;
  /** One file for each process that this run has started. */
  readonly pids: string;
  /** `<pod>.<container>.log`. */
  readonly logs: string;
  /** One folder for each persistent volume claim; outlives a run. */
  readonly volumes: string;
  /** The keys and certificates of the pods and of the authority that vouches for them; gone when the run is over. */
  readonly identities: string;
  /** The live ConfigMap `endpoints`. */
  readonly endpoints: string;
  /** Who runs: pid, identity, start, edge. */
  readonly supervisor: string;
  /** The control API's Unix socket. */
  readonly socket: string;
}

/** The files of the run in `dir`. */
export function runPaths(dir: string): RunPaths {
  const at = (name: string) => join(dir, name);
  return {
    dir,
    pods: at('pods'),
    pids: at('pids'),
    logs: at('logs'),
    volumes: at('volumes'),
    identities: at('identities'),
    endpoints: at('endpoints'),
    supervisor: at(SUPERVISOR_FILE),
    socket: at('control.sock'),
  };
}

/** A Unix socket's path in the shorter of its forms: the kernel refuses more than 107 bytes (unix(7)). */
export function socketPath(path: string): string {
  const short = relative(process.cwd(), path);
  return Buffer.byteLength(short) < Buffer.byteLength(path) ? short : path;
}
