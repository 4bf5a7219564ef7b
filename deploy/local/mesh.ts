import { join } from 'node:path';
import { serveControl } from './control.ts';
import type { Deployment } from './deployment.ts';
import { startDeployments } from './deployments.ts';
import { type Identities, keepIdentities } from './identities.ts';
import { issuerPolicy } from './issuer.ts';
import { type Machine, readMachine } from './machine.ts';
import type { KubeObject } from './manifest.ts';
import { edgePort, portProblems } from './port-check.ts';
import { hopeless, reportReadiness, whyNotReady } from './readiness.ts';
import { renderChart } from './render.ts';
import { needsOf, resourceProblems } from './resources.ts';
import { RunError } from './run-error.ts';
import { takeRunFolder } from './run-folder.ts';
import { lookUp } from './service-name.ts';
import { locateTool, toolProblems } from './tools.ts';
import { reachUpstreams } from './upstreams.ts';
import { waitUntil } from './wait.ts';

export interface MeshOptions {
  /** Where the run keeps its files; one mesh per folder. */
  runDir: string;
  /** Pods get addresses 127.0.<net>.n; the first free net when absent. */
  net?: number | undefined;
  /** The edge's address; an address like any other pod's when absent. */
  hostAddress?: string | undefined;
  /** The edge's port; what the chart's values say when absent. */
  port?: number | undefined;
  /** More arguments for helm: `--set key=value`, `-f file`. */
  values?: readonly string[] | undefined;
  /** Another chart's folder instead of the repository's. */
  chart?: string | undefined;
  /** Changes the rendered objects before they are run; for tests that break something on purpose. */
  transform?: ((objects: KubeObject[]) => KubeObject[]) | undefined;
  /** How long the news that a pod is ready or terminating takes to reach the Envoys, in milliseconds. Default 0. */
  endpointDelayMs?: number | undefined;
  /** What the machine has left, instead of what is read of it. */
  machine?: Machine | undefined;
  /** How long `whenReady`, `restart` and `scale` wait, in milliseconds. Default 120,000. */
  timeoutMs?: number | undefined;
  report?: ((progress: Progress) => void) | undefined;
  /** Ends the start, and a wait for readiness. */
  signal?: AbortSignal | undefined;
}

/**
 * How long Envoys get to find the pods that are ready, in milliseconds: three of their health checks. A mesh in which they do not
 * find each other, such as one that a test has broken, runs all the same.
 */
const UPSTREAMS_MS = 3000;

/** What a start is doing. */
export interface Progress {
  stage: 'tools' | 'chart' | 'pods';
  line: string;
}

/** A pod as it is now. */
export interface PodView {
  name: string;
  address: string;
  ready: boolean;
  containers: { name: string; pid: number | undefined; restarts: number }[];
  /** The path of a container's log. */
  logFile(container: string): string;
}

/** The running services. */
export interface Mesh {
  /** `host:port` for clients. */
  readonly edge: string;
  /** Who the pods are to one another; `undefined` when the chart issues no identities. */
  readonly identities: Identities | undefined;
  /** The pods of a service, not those that are terminating. Every method throws a `UsageError` for an unknown service. */
  pods(service: string): PodView[];
  /** Replaces all pods of a service and resolves when the old ones are gone; throws a `RunError` with log lines when that takes too long. */
  restart(service: string): Promise<void>;
  /** Resolves when there are `replicas` ready pods and no other; throws as `restart` does. */
  scale(service: string, replicas: number): Promise<void>;
  /** Sends a signal to a container of a pod; throws a `RunError` when it does not run. */
  killContainer(pod: string, container: string, signal: NodeJS.Signals): void;
  /** Resolves when all pods are ready, and their Envoys send them calls; throws a `RunError` with log lines as soon as one cannot become ready, or after the time-out. */
  whenReady(): Promise<void>;
  /**
   * Ends every process and removes the run's files, but not its logs and volumes.
   * Pods get `graceMs` to end (their own time when absent, none when 0).
   */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Runs the chart as processes: resolves when they have been started (see `whenReady`), throws a `RunError` when they cannot be.
 * Whatever the end, no process outlives `stop`, a failed start, or this process.
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const {
    runDir,
    signal,
    values = [],
    chart,
    transform = objects => objects,
    timeoutMs = 120_000,
    report = () => {},
  } = options;
  if (process.platform !== 'linux')
    throw new RunError(
      'the local run needs Linux (or WSL 2): it gives each pod a loopback address of its own. On macOS use a cluster: make cluster images install',
    );
  await using cleanup = new AsyncDisposableStack();
  const folder = await takeRunFolder(runDir, line => report({ stage: 'tools', line }));
  cleanup.defer(() => folder.release());

  await checkTools(options, folder.paths.dir);
  const toolOptions = [(line: string) => report({ stage: 'tools', line }), signal] as const;
  const helm = await locateTool('helm', ...toolOptions);
  const envoy = await locateTool('envoy', ...toolOptions);
  report({ stage: 'tools', line: `${helm}, ${envoy}` });
  const rendered = await renderChart({
    helm,
    chart,
    values: [...values, ...portValue(options)],
    home: join(folder.paths.dir, 'helm'),
    signal,
  });
  const objects = transform(rendered);
  report({ stage: 'chart', line: `${objects.length} objects` });

  const { paths } = folder;
  const { net, hostAddress, endpointDelayMs, machine } = options;
  const policy = issuerPolicy(objects, paths.identities);
  const identities = policy && (await keepIdentities(paths.identities, policy));
  cleanup.defer(() => identities?.close());
  const running = await startDeployments({
    objects,
    paths,
    envoy,
    secrets: identities?.secrets ?? new Map(),
    net,
    hostAddress,
    endpointDelayMs,
    machine,
  });
  cleanup.defer(() => running.stop());
  const { deployments, edge } = running;
  const control = await serveControl(paths.socket, deployments);
  cleanup.defer(() => control.close());
  signal?.throwIfAborted();
  folder.announce(edge);

  const all = () => [...deployments.values()];
  const settle = async (deployment: Deployment, doing: string) => {
    if (await deployment.whenComplete(timeoutMs, signal)) return;
    throw new RunError(`${doing} was not done after ${timeoutMs / 1000} s: ${whyNotReady([deployment])}`);
  };
  const resources = cleanup.move();
  let stopped: Promise<void> | undefined;

  return {
    edge,
    identities,
    pods: service =>
      lookUp(deployments, service)
        .pods.filter(({ terminating }) => !terminating)
        .map(viewOf),
    async restart(service) {
      const deployment = lookUp(deployments, service);
      deployment.restart(new Date().toISOString());
      await settle(deployment, `the restart of ${service}`);
    },
    async scale(service, replicas) {
      const deployment = lookUp(deployments, service);
      deployment.scale(replicas);
      await settle(deployment, `scaling ${service} to ${replicas}`);
    },
    killContainer(pod, container, name) {
      const found = all()
        .flatMap(({ pods }) => pods)
        .find(each => each.name === pod)
        ?.containers.find(each => each.name === container);
      if (found?.pid === undefined) throw new RunError(`no process runs for container ${container} of pod ${pod}`);
      found.kill(name);
    },
    async whenReady() {
      const reported = new AbortController();
      const progress = reportReadiness(all(), line => report({ stage: 'pods', line }), reported.signal);
      const settled = () => all().every(({ complete }) => complete) || hopeless(all());
      await waitUntil(settled, { timeoutMs, signal }).finally(() => reported.abort());
      await progress;
      if (!all().every(({ complete }) => complete)) throw new RunError(whyNotReady(all()));
      await waitUntil(() => reachUpstreams(all()), { timeoutMs: UPSTREAMS_MS, signal });
    },
    stop(graceMs) {
      // A second stop may be more urgent than the first.
      const pods = running.stopPods(graceMs);
      stopped ??= pods.finally(() => resources.disposeAsync());
      return stopped;
    },
  };
}

const portValue = ({ port }: MeshOptions) => (port === undefined ? [] : ['--set', `edge.port=${port}`]);

/** The port of the edge by the chart's own values, for who has not been able to read them yet. */
const USUAL_PORT = 8080;

/** Throws a `RunError` when Helm or Envoy cannot be had; it names what else is in the way, as far as that is known without the chart. */
async function checkTools({ hostAddress, port = USUAL_PORT, machine, signal }: MeshOptions, dir: string): Promise<void> {
  const missing = await toolProblems(['helm', 'envoy'], signal);
  if (missing.length === 0) return;
  const taken = hostAddress && (await portProblems(new Map([[hostAddress, [port]]]), edgePort(hostAddress, port)));
  throw new RunError([...missing, ...(taken || []), ...resourceProblems(machine ?? readMachine(dir), needsOf([]))].join('\n'));
}

function viewOf(pod: Deployment['pods'][number]): PodView {
  const { name, address, ready } = pod;
  const containers = pod.containers.map(({ name, pid, restarts }) => ({ name, pid, restarts }));
  const logFile = (container: string) => {
    const found = pod.containers.find(each => each.name === container);
    if (found === undefined) throw new RunError(`pod ${name} has no container ${container}`);
    return found.logFile;
  };
  return { name, address, ready, containers, logFile };
}
