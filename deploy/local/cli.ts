import { CommanderError } from 'commander';
import { meshCommand } from './commands.ts';
import { RunError, UsageError } from './run-error.ts';
import { paint, print } from './screen.ts';

/**
 * Runs the command line `argv` and returns the exit code: 0, 1 for a failure, 2 for a command that cannot be meant, 130 when `signal`,
 * which is Ctrl-C, has ended it. Prints messages, never a stack trace but for a mistake in this program.
 */
export async function runCli(argv: readonly string[], signal: AbortSignal): Promise<number> {
  try {
    await meshCommand(signal).parseAsync([...argv], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has printed its message itself
    if (signal.aborted) {
      print(process.stderr, 'interrupted');
      return 130;
    }
    if (!(error instanceof RunError)) throw error;
    print(process.stderr, paint('red', error.message, process.stderr));
    return error instanceof UsageError ? 2 : 1;
  }
}
