import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the run that `make up` starts keeps its files, unless told otherwise. */
export const DEFAULT_RUN_DIR = join(import.meta.dirname, '..', '..', '..', '.run');

/** The file in a run's folder that says who runs there. */
export const SUPERVISOR_FILE = 'supervisor.json';

/** Who runs in a run folder. */
export interface RunInfo {
  readonly pid: number;
  readonly identity: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** `host:port` of the edge; absent until it is known. */
  readonly edge?: string;
}

/** What a run has written into its folder; undefined when there is none. The run itself may be over, if it was killed. */
export function readRunInfo(dir: string): RunInfo | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, SUPERVISOR_FILE), 'utf8')) as RunInfo;
  } catch {
    return undefined;
  }
}
