import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** A program of ours that a test runs, with its output to read. */
export type Program = ChildProcessByStdio<null, Readable, Readable>;

/** How a program has ended. */
export interface Ended {
  /** Null when a signal has ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts a file of ours under the Node that runs the test, without a terminal and without colours. */
export function startProgram(file: string, args: readonly string[], env: Record<string, string | undefined> = {}): Program {
  return spawn(process.execPath, [file, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Waits for the end of a program and of all that has its output. */
export async function endOfProgram(program: Program): Promise<Ended> {
  const closed = new Promise<number | null>(resolve => program.once('close', resolve));
  const [out, err, code] = await Promise.all([text(program.stdout), text(program.stderr), closed]);
  return { code, out, err };
}
