import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RunError } from './run-error.ts';

const execute = promisify(execFile);

export interface CommandOptions {
  cwd?: string;
  /** Milliseconds; 600,000 when absent. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Runs a program to its end and returns what it printed.
 * Throws a `RunError` with the last line that it wrote to stderr, or `undefined` as its output when there is no such program.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string | undefined> {
  const { cwd, timeoutMs = 600_000, signal } = options;
  try {
    const { stdout } = await execute(file, args, {
      timeout: timeoutMs,
      maxBuffer: 16 * 1024 * 1024,
      ...(cwd !== undefined && { cwd }),
      ...(signal && { signal }),
    });
    return stdout;
  } catch (error) {
    signal?.throwIfAborted();
    const { code, stderr = '', message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') return undefined;
    const lines = (stderr || message).trim().split('\n');
    throw new RunError(
      `${file} ${args.slice(0, 3).join(' ')} failed: ${lines.findLast(line => /error/i.test(line)) ?? lines.at(-1)}`,
    );
  }
}
