import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';

/** The name of a container's log file in the logs folder. */
export const logName = (pod: string, container: string): string => `${pod}.${container}.log`;

/**
 * Moves the content of each log above `maxBytes` to `<log>.old` (one old file) and goes on with an empty one.
 * The processes write the files themselves, so the file is copied and emptied in place: lines written between the two are lost.
 */
export function rotateLogs(dir: string, maxBytes = 10 * 1024 * 1024): void {
  for (const name of filesIn(dir)) {
    if (!name.endsWith('.log')) continue;
    const file = join(dir, name);
    if (statSync(file).size <= maxBytes) continue;
    copyFileSync(file, `${file}.old`);
    truncateSync(file);
  }
}

/** Removes the logs of all but the newest `keep` of the pods that `isGone`. */
export function pruneLogs(dir: string, isGone: (pod: string) => boolean, keep = 100): void {
  const files = filesIn(dir).map(name => ({
    name,
    pod: name.split('.', 1)[0] ?? '',
    time: statSync(join(dir, name)).mtimeMs,
  }));
  const gone = files.filter(({ pod }) => isGone(pod)).sort((a, b) => b.time - a.time);
  const kept = new Set([...new Set(gone.map(({ pod }) => pod))].slice(0, keep));
  for (const { name, pod } of gone) if (!kept.has(pod)) rmSync(join(dir, name), { force: true });
}

/** The names in a folder; none when somebody has removed it. */
function filesIn(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}

/** The last lines of a file (of its last 64 KiB), none when it cannot be read. */
export function lastLines(file: string, count: number): string[] {
  const window = 64 * 1024;
  try {
    const handle = openSync(file, 'r');
    try {
      const buffer = Buffer.alloc(window);
      const length = readSync(handle, buffer, 0, window, Math.max(0, fstatSync(handle).size - window));
      return buffer.subarray(0, length).toString('utf8').trimEnd().split('\n').slice(-count).filter(Boolean);
    } finally {
      closeSync(handle);
    }
  } catch {
    return [];
  }
}
