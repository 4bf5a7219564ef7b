import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { killGroup, type PidRecords } from './pid-records.ts';

/** A program and how it is run. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** How a process ended: `code 1`, `signal SIGKILL`, or why it could not start. */
export type Exit = { readonly reason: string };

/** A running process; leads its own group, so that nothing it starts outlives it. */
export interface ChildProcess {
  readonly pid: number | undefined;
  readonly exited: Promise<Exit>;
  /** Sends a signal; SIGKILL reaches the whole group. */
  kill(signal: NodeJS.Signals): void;
}

/** Starts `program` with its output appended to `logFile`, recorded in `records`, and killed by the kernel when this process dies. */
export function startProcess(program: Program, options: { logFile: string; records: PidRecords; what: string }): ChildProcess {
  const log = openSync(options.logFile, 'a', 0o600);
  const [file = program.file, ...args] = [...deathSignal(), program.file, ...program.args];
  const child = spawn(file, args, { cwd: program.cwd, env: program.env, stdio: ['ignore', log, log], detached: true });
  const { pid } = child;
  if (pid !== undefined) options.records.add(pid, options.what);
  const exited = new Promise<Exit>(resolve => {
    child.once('error', error => resolve({ reason: `cannot start: ${error.message}` }));
    child.once('exit', (code, signal) => resolve({ reason: signal === null ? `code ${code}` : `signal ${signal}` }));
  }).then(exit => {
    if (pid !== undefined) {
      killGroup(pid); // what the process has left behind; a container ends with its first process
      options.records.remove(pid);
    }
    writeSync(log, `[telltale] ${options.what} ended: ${exit.reason}\n`);
    closeSync(log);
    return exit;
  });
  return {
    pid,
    exited,
    kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null || pid === undefined) return;
      if (signal === 'SIGKILL') killGroup(pid);
      child.kill(signal);
    },
  };
}

let prefix: string[] | undefined;

/**
 * A command prefix that makes the kernel kill the process when its parent dies (prctl(2), PR_SET_PDEATHSIG, by util-linux's setpriv).
 * Empty where there is no such setpriv; then only the pid records find the processes of a supervisor that was killed.
 */
function deathSignal(): string[] {
  const candidate = ['setpriv', '--pdeathsig', 'KILL', '--'];
  prefix ??= spawnSync('setpriv', [...candidate.slice(1), 'true'], { stdio: 'ignore' }).status === 0 ? candidate : [];
  return prefix;
}
