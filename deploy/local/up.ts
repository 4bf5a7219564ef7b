import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { repo } from './paths.ts';
import { showProgress } from './progress.ts';
import { RunError } from './run-error.ts';
import { alreadyRunning, runInfo } from './run-folder.ts';
import type { StartMessage } from './supervise.ts';

export interface UpOptions {
  runDir: string;
  /** The arguments that make this program the supervisor. */
  superviseArgs: readonly string[];
  /** Ends the start: whatever has been started is stopped. */
  signal: AbortSignal;
  stream: NodeJS.WriteStream;
}

/**
 * Starts the supervisor as a process of its own session and returns the edge's `host:port` once every pod is ready.
 * Throws a `RunError` when it cannot start; then nothing is left running.
 */
export async function up({ runDir, superviseArgs, signal, stream }: UpOptions): Promise<string> {
  if (runInfo(runDir) !== undefined) throw alreadyRunning(runDir);
  signal.throwIfAborted();
  const log = openLog(runDir);
  const supervisor = spawn(process.execPath, [...process.execArgv, ...superviseArgs], {
    cwd: repo,
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const view = showProgress(stream);
  // A supervisor that is told to stop ends its processes in order; a second signal would find it at that already.
  const stop = () => supervisor.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const result = await new Promise<StartMessage>(resolve => {
    supervisor.on('message', (message: StartMessage) =>
      'progress' in message ? view.update(message.progress) : resolve(message),
    );
    supervisor.once('error', error => resolve({ failed: `cannot start the supervisor: ${error.message}` }));
    supervisor.once('exit', (code, name) => {
      resolve({ failed: `the supervisor ended (${name ?? `code ${code}`}): see ${join(runDir, 'supervisor.log')}` });
    });
  });
  await view.end(!('ready' in result));
  if ('ready' in result) {
    signal.removeEventListener('abort', stop);
    supervisor.disconnect();
    supervisor.unref();
    return result.ready.edge;
  }
  if (supervisor.exitCode === null && supervisor.signalCode === null)
    await new Promise(resolve => supervisor.once('exit', resolve));
  throw new RunError('failed' in result ? result.failed : 'the supervisor did not start');
}

/** Makes the folder of the run and opens the supervisor's log in it. */
function openLog(runDir: string): number {
  try {
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    return openSync(join(runDir, 'supervisor.log'), 'a', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RunError(`the folder of the run, ${runDir}, cannot be written (${code}): name another with --run-dir`);
  }
}
