import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processIdentity } from './process-identity.ts';
import { waitUntil } from './wait.ts';

/** The processes of a run as files, so that another process can end them when the supervisor could not. */
export interface PidRecords {
  /** Records a process that has just been started. */
  add(pid: number, what: string): void;
  /** Forgets a process that has ended. */
  remove(pid: number): void;
}

interface PidRecord {
  pid: number;
  identity: string;
  what: string;
}

/** Records in the folder `dir`, which is made. */
export function pidRecords(dir: string): PidRecords {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return {
    add(pid, what) {
      const identity = processIdentity(pid);
      if (identity !== undefined) writeFileSync(join(dir, `${pid}.json`), JSON.stringify({ pid, identity, what }));
    },
    remove: pid => rmSync(join(dir, `${pid}.json`), { force: true }),
  };
}

/**
 * Kills the processes that an earlier run recorded in `dir` and did not end, each with its process group, and removes the records.
 * A pid that another process uses by now is left alone. Resolves with what was killed once it is gone.
 */
export async function reapLeftovers(dir: string): Promise<string[]> {
  const records = readRecords(dir).filter(record => processIdentity(record.pid) === record.identity);
  for (const { pid } of records) killGroup(pid);
  await waitUntil(() => records.every(({ pid, identity }) => processIdentity(pid) !== identity), { timeoutMs: 5_000 });
  rmSync(dir, { recursive: true, force: true });
  return records.map(({ pid, what }) => `${what} (pid ${pid})`);
}

/** SIGKILL for a process that leads its group, and for the group; a process that is gone already is no error. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in between.
  }
}

function readRecords(dir: string): PidRecord[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch {
    return [];
  }
  return names.flatMap(name => {
    try {
      return [JSON.parse(readFileSync(join(dir, name), 'utf8')) as PidRecord];
    } catch {
      return []; // cut off while it was written
    }
  });
}
