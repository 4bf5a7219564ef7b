import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from './log-file.ts';
import { pause } from './wait.ts';

export interface LogsOptions {
  /** The folder of the logs. */
  dir: string;
  /** Only this service's pods; every service's when absent. */
  service?: string | undefined;
  /** How many of each container's last lines. */
  lines: number;
  /** Gets each line with its container, `<pod>.<container>`. */
  print(container: string, line: string): void;
}

/** The services that have logs in `dir`. */
export function loggedServices(dir: string): string[] {
  return [...new Set(logNames(dir).map(serviceOf))];
}

/** Prints the last lines of each container's log, the containers one after the other, oldest log first. */
export function printLogs({ dir, service, lines, print }: LogsOptions): void {
  for (const name of selected(dir, service))
    for (const line of lastLines(join(dir, name), lines)) print(containerOf(name), line);
}

/** Prints what the containers write from now on, also those that are started later, until the signal is aborted. */
export async function followLogs({ dir, service, print }: LogsOptions, signal: AbortSignal): Promise<void> {
  const positions = new Map(selected(dir, service).map(name => [name, statSync(join(dir, name)).size]));
  while (!signal.aborted) {
    for (const name of selected(dir, service)) {
      const { text, position } = readFrom(join(dir, name), positions.get(name) ?? 0);
      positions.set(name, position);
      for (const line of text.split('\n').slice(0, -1)) print(containerOf(name), line);
    }
    await pause(200, signal).catch(() => {});
  }
}

const longestLine = 1024 * 1024;

/** The whole lines after `start`, at most 1 MiB at a time; from the beginning when the file has become shorter (it was rotated). */
function readFrom(file: string, start: number): { text: string; position: number } {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const from = size < start ? 0 : start;
    const buffer = Buffer.alloc(Math.min(size - from, longestLine));
    const read = buffer.subarray(0, readSync(handle, buffer, 0, buffer.length, from));
    const end = read.lastIndexOf('\n') + 1;
    if (end === 0 && read.length === longestLine) return { text: `${read}\n`, position: from + read.length };
    return { text: read.subarray(0, end).toString('utf8'), position: from + end };
  } finally {
    closeSync(handle);
  }
}

function selected(dir: string, service: string | undefined): string[] {
  const names = logNames(dir).filter(name => service === undefined || serviceOf(name) === service);
  return names.sort((a, b) => statSync(join(dir, a)).mtimeMs - statSync(join(dir, b)).mtimeMs);
}

function logNames(dir: string): string[] {
  try {
    return readdirSync(dir).filter(name => name.endsWith('.log'));
  } catch {
    return [];
  }
}

const containerOf = (name: string) => name.slice(0, -'.log'.length);

/** The service of `<service>-<hash>-<suffix>.<container>.log`. */
const serviceOf = (name: string) => (name.split('.')[0] ?? '').split('-').slice(0, -2).join('-');
