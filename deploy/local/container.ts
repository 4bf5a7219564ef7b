import { setTimeout } from 'node:timers/promises';
import { restartBackOff } from './back-off.ts';
import { type ChildProcess, type Program, startProcess } from './child-process.ts';
import type { Container as ContainerSpec } from './manifest.ts';
import type { PidRecords } from './pid-records.ts';
import { checkOf } from './probe.ts';
import { started, untilDead, watchReadiness } from './probe-loop.ts';
import { messageOf } from './run-error.ts';
import { pause, settledWithin } from './wait.ts';

/** A container of a pod as a process that is started again whenever it ends. */
export interface Container {
  readonly name: string;
  /** Absent between the end of a process and its restart. */
  readonly pid: number | undefined;
  /** How often it was started again. */
  readonly restarts: number;
  /** The start-up probe, when there is one, has succeeded since the last start. */
  readonly started: boolean;
  /** The readiness probe, when there is one, succeeds; else the container has started. */
  readonly ready: boolean;
  /** How its last process ended. */
  readonly lastExit: string | undefined;
  readonly logFile: string;
  /** Sends a signal to the process; the container is then started again if it ends by it. */
  kill(signal: NodeJS.Signals): void;
  /**
   * The preStop hook (left out without `handOver`), then SIGTERM; SIGKILL when `graceMs` have passed (at once when 0).
   * Resolves when the process is gone; it is not started again.
   */
  stop(graceMs: number, handOver: boolean): Promise<void>;
}

export interface ContainerOptions {
  spec: ContainerSpec;
  program: Program;
  address: string;
  /** How processes of this container are called in records and logs: `<pod>/<container>`. */
  title: string;
  logFile: string;
  records: PidRecords;
  /** How long a process may take to end when its liveness probe has failed. */
  graceMs: number;
  /** Called after each change of what this container shows. */
  onChange: () => void;
}

/** Starts the container. */
export function startContainer(options: ContainerOptions): Container {
  const { spec, program, logFile, records, title, onChange } = options;
  const stopping = new AbortController();
  const state = { restarts: 0, started: false, ready: false, lastExit: undefined as string | undefined };
  let child: ChildProcess | undefined;
  const set = (change: Partial<typeof state>) => {
    Object.assign(state, change);
    onChange();
  };

  /** One life of the process, from its start to its end; returns how it ended. */
  async function lifeOnce(): Promise<string> {
    const ended = new AbortController();
    try {
      child = startProcess(program, { logFile, records, what: title });
      const probes = probe(options, child, AbortSignal.any([ended.signal, stopping.signal]), set);
      const { reason } = await child.exited;
      child = undefined;
      ended.abort();
      await probes;
      return reason;
    } catch (error) {
      return messageOf(error); // no log file, no more descriptors
    }
  }

  async function live(): Promise<void> {
    const backOff = restartBackOff();
    while (!stopping.signal.aborted) {
      const since = performance.now();
      set({ started: false, ready: false, lastExit: await lifeOnce() });
      if (stopping.signal.aborted) return;
      await pause(backOff.next(performance.now() - since), stopping.signal);
      set({ restarts: state.restarts + 1 });
    }
  }

  const gone = live().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });

  return {
    name: spec.name,
    logFile,
    get pid() {
      return child?.pid;
    },
    get restarts() {
      return state.restarts;
    },
    get started() {
      return state.started;
    },
    get ready() {
      return state.ready;
    },
    get lastExit() {
      return state.lastExit;
    },
    kill: signal => child?.kill(signal),
    async stop(graceMs, handOver) {
      stopping.abort();
      const end = performance.now() + graceMs;
      const hook = handOver && graceMs > 0 && spec.lifecycle?.preStop !== undefined;
      if (hook) await settledWithin(Promise.race([gone, preStop(options)]), graceMs);
      if (graceMs > 0) child?.kill('SIGTERM');
      // A hook that has taken all the time leaves the process two seconds, as a kubelet does.
      if (!(await settledWithin(gone, Math.max(end - performance.now(), hook ? 2000 : 0)))) child?.kill('SIGKILL');
      await gone;
    },
  };
}

/** Resolves when the container's preStop hook, if it has one, is done: has slept, or been answered. */
async function preStop({ spec, address, graceMs }: ContainerOptions): Promise<void> {
  const { sleep, httpGet } = spec.lifecycle?.preStop ?? {};
  if (sleep !== undefined) await setTimeout(sleep.seconds * 1000, undefined, { ref: false });
  if (httpGet !== undefined)
    await checkOf({ httpGet, timeoutSeconds: graceMs / 1000 }, spec, address)(new AbortController().signal);
}

/** Runs the container's probes against one life of its process; resolves once the signal is aborted. */
async function probe(
  { spec, address, graceMs }: ContainerOptions,
  child: ChildProcess,
  signal: AbortSignal,
  set: (state: { started?: boolean; ready?: boolean }) => void,
): Promise<void> {
  const { startupProbe, readinessProbe, livenessProbe } = spec;
  const end = async () => {
    child.kill('SIGTERM');
    if (!(await settledWithin(child.exited, graceMs))) child.kill('SIGKILL');
  };
  try {
    if (startupProbe !== undefined && !(await started(startupProbe, checkOf(startupProbe, spec, address), signal)))
      return await end();
    signal.throwIfAborted();
    set({ started: true, ready: readinessProbe === undefined });
    const readiness =
      readinessProbe && watchReadiness(readinessProbe, checkOf(readinessProbe, spec, address), ready => set({ ready }), signal);
    const liveness = livenessProbe && untilDead(livenessProbe, checkOf(livenessProbe, spec, address), signal).then(end);
    await Promise.all([readiness, liveness]);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
