import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './child-process.ts';
import { type Container, startContainer } from './container.ts';
import { logName } from './log-file.ts';
import type { Container as ContainerSpec, Labels, PodTemplate } from './manifest.ts';
import type { PidRecords } from './pid-records.ts';
import { programOf, type Runtimes } from './program.ts';
import { RunError } from './run-error.ts';
import { mountVolumes, podDir, type VolumeSources } from './volumes.ts';
import { waitUntil } from './wait.ts';

/** A pod as processes on an address of its own. */
export interface Pod {
  readonly name: string;
  readonly address: string;
  readonly labels: Labels;
  readonly createdAt: Date;
  /** Sidecars first, in the order of their start. */
  readonly containers: readonly Container[];
  /** Every container of the template runs and is ready. */
  readonly ready: boolean;
  /** `stop` was called. */
  readonly terminating: boolean;
  /**
   * Ends the main containers, then the sidecars, the last started first; all within `graceMs` (the template's own when absent, at once when 0),
   * but at least a second for the sidecars. Without `handOver` (default true) it leaves the preStop hooks out: they give callers the time to go
   * elsewhere. Resolves when all processes are gone and the pod's files are removed.
   */
  stop(graceMs?: number, handOver?: boolean): Promise<void>;
}

export interface PodOptions {
  name: string;
  address: string;
  template: PodTemplate;
  sources: VolumeSources;
  runtimes: Runtimes;
  records: PidRecords;
  /** Called after each change of what the pod shows. */
  onChange: () => void;
}

/** Starts a pod: its native sidecars, each after the one before has started, then its main containers. Throws what cannot be run at all. */
export function startPod(options: PodOptions): Pod {
  const { name, address, template, sources, onChange } = options;
  const { initContainers = [], containers: mains, terminationGracePeriodSeconds = 30 } = template.spec;
  const programs = prepare(options);
  const graceMs = terminationGracePeriodSeconds * 1000;
  const sidecars: Container[] = [];
  const apps: Container[] = [];
  let stopped: Promise<void> | undefined;
  const stopping = new AbortController();

  const start = (spec: ContainerSpec) => {
    const program = programs.get(spec);
    if (program === undefined) throw new Error(`no program for ${spec.name}`);
    const logFile = join(sources.paths.logs, logName(name, spec.name));
    return startContainer({
      spec,
      program,
      address,
      title: `${name}/${spec.name}`,
      logFile,
      records: options.records,
      graceMs,
      onChange,
    });
  };

  async function startInOrder(): Promise<void> {
    for (const spec of initContainers) {
      const sidecar = start(spec);
      sidecars.push(sidecar);
      await waitUntil(() => sidecar.started, { timeoutMs: Number.POSITIVE_INFINITY, signal: stopping.signal });
    }
    stopping.signal.throwIfAborted();
    apps.push(...mains.map(start));
    onChange();
  }

  async function stop(grace: number, handOver: boolean): Promise<void> {
    stopping.abort();
    onChange();
    await starting;
    const end = performance.now() + grace;
    await Promise.all(apps.map(app => app.stop(grace, handOver)));
    for (const sidecar of sidecars.toReversed()) {
      await sidecar.stop(grace === 0 ? 0 : Math.max(end - performance.now(), 1000), handOver);
    }
    rmSync(podDir(sources.paths, name), { recursive: true, force: true });
  }

  const starting = startInOrder().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });

  return {
    name,
    address,
    labels: template.metadata?.labels ?? {},
    createdAt: new Date(),
    get containers() {
      return [...sidecars, ...apps];
    },
    get ready() {
      const all = [...sidecars, ...apps];
      return !stopping.signal.aborted && all.length === programs.size && all.every(container => container.ready);
    },
    get terminating() {
      return stopping.signal.aborted;
    },
    stop(grace = graceMs, handOver = true) {
      // A second, more urgent stop must not wait for the grace of the first.
      if (stopped !== undefined && grace === 0) for (const container of [...apps, ...sidecars]) container.kill('SIGKILL');
      stopped ??= stop(grace, handOver);
      return stopped;
    },
  };
}

/** Throws a `RunError` for a template that cannot be run; starts nothing and leaves nothing. */
export function checkTemplate(options: PrepareOptions): void {
  prepare(options);
  rmSync(podDir(options.sources.paths, options.name), { recursive: true, force: true });
}

type PrepareOptions = Pick<PodOptions, 'name' | 'address' | 'template' | 'sources' | 'runtimes'>;

/** Mounts every container's volumes, and finds the program of each. */
function prepare({ name, address, template, sources, runtimes }: PrepareOptions): Map<ContainerSpec, Program> {
  const { initContainers = [], containers } = template.spec;
  const plain = initContainers.find(({ restartPolicy }) => restartPolicy !== 'Always');
  if (plain !== undefined) throw new RunError(`init container ${plain.name}: the local run has native sidecars only`);
  const pod = { name, address, ...(template.spec.automountServiceAccountToken && { control: sources.paths.socket }) };
  const programs = [...initContainers, ...containers].map(
    spec => [spec, programOf(spec, pod, mountVolumes(template.spec, spec, pod, sources), runtimes)] as const,
  );
  return new Map(programs);
}
