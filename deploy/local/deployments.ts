import { type AddressPool, reserveAddresses } from './address-pool.ts';
import { type Deployment, keepDeployment, type StartPod } from './deployment.ts';
import { watchEndpoints } from './endpoints.ts';
import { isIssuer } from './issuer.ts';
import { pruneLogs, rotateLogs } from './log-file.ts';
import { type Machine, readMachine } from './machine.ts';
import { type KubeObject, ofKind } from './manifest.ts';
import type { RunPaths } from './paths.ts';
import { pidRecords } from './pid-records.ts';
import { checkTemplate, type Pod, startPod } from './pod.ts';
import { type ChosenPort, edgePort, mainPortOf, portProblems, portsOf } from './port-check.ts';
import { needsOf, resourceProblems } from './resources.ts';
import { RunError } from './run-error.ts';

export interface DeploymentsOptions {
  objects: readonly KubeObject[];
  paths: RunPaths;
  /** The Envoy program. */
  envoy: string;
  /** The folder of each Secret. */
  secrets: ReadonlyMap<string, string>;
  net?: number | undefined;
  hostAddress?: string | undefined;
  endpointDelayMs?: number | undefined;
  /** What the machine has left; read when absent. */
  machine?: Machine | undefined;
}

/** The Deployments of a chart, running. */
export interface Deployments {
  readonly deployments: ReadonlyMap<string, Deployment>;
  /** `host:port` of the edge. */
  readonly edge: string;
  /** Stops all pods, each within `graceMs` (its own time when absent, at once when 0). */
  stopPods(graceMs?: number): Promise<void>;
  /** Stops what still runs and gives the addresses back. */
  stop(): Promise<void>;
}

const edgeName = 'edge';

/** Checks that every port is free and the machine has room, then starts all Deployments at once and keeps them true. Throws a `RunError` before any process starts. */
export async function startDeployments(options: DeploymentsOptions): Promise<Deployments> {
  const { objects, paths, envoy, secrets, hostAddress, endpointDelayMs } = options;
  await using cleanup = new AsyncDisposableStack();
  const addresses = await reserveAddresses(options.net);
  cleanup.defer(() => addresses.close());
  const edgeAddress = hostAddress ?? addresses.take();
  const port = portOfEdge(objects);
  await preflight(objects, addresses, edgePort(edgeAddress, port), options.machine ?? readMachine(paths.dir));

  const services = ofKind(objects, 'Service');
  const endpoints = watchEndpoints({ dir: paths.endpoints, services, delayMs: endpointDelayMs });
  cleanup.defer(() => endpoints.close());
  const configMaps = new Map(ofKind(objects, 'ConfigMap').map(configMap => [configMap.metadata.name, configMap]));
  const sources = { paths, configMaps, secrets, live: new Map([['endpoints', paths.endpoints]]) };
  const context = { sources, runtimes: { envoy }, records: pidRecords(paths.pids) };
  checkWorkloads(objects);
  for (const { metadata, spec } of ofKind(objects, 'Deployment')) {
    checkTemplate({ ...context, name: metadata.name, address: edgeAddress, template: spec.template });
  }

  const deployments = new Map<string, Deployment>();
  const allPods = () => [...deployments.values()].flatMap(({ pods }) => pods);
  const onChange = onChangeOf(deployments, () => endpoints.update(allPods()));
  for (const object of ofKind(objects, 'Deployment')) {
    const { name } = object.metadata;
    const single = name === edgeName;
    const start: StartPod = (pod, template) =>
      startPod({ ...context, name: pod, template, address: single ? edgeAddress : addresses.take(), onChange });
    const onGone = (pod: Pod) => {
      if (!single) addresses.release(pod.address);
      pruneLogs(paths.logs, each => !allPods().some(({ name }) => name === each));
      onChange();
    };
    deployments.set(name, keepDeployment({ object, startPod: start, onGone, single }));
  }
  const stopPods = async (graceMs?: number) => {
    await Promise.all([...deployments.values()].map(deployment => deployment.stop(graceMs)));
  };
  cleanup.defer(() => stopPods());
  const rotation = setInterval(() => rotateLogs(paths.logs), 2_000).unref();
  cleanup.defer(() => clearInterval(rotation));
  for (const deployment of deployments.values()) deployment.reconcile();

  const resources = cleanup.move();
  return { deployments, edge: `${edgeAddress}:${port}`, stopPods, stop: () => resources.disposeAsync() };
}

/**
 * What a pod calls when it changes. Its news reaches the Envoys before the pod goes on (a terminating pod's before its SIGTERM);
 * the Deployments look at it right afterwards, once: they start and stop pods, which is news again.
 */
function onChangeOf(deployments: ReadonlyMap<string, Deployment>, updateEndpoints: () => void): () => void {
  let scheduled = false;
  return () => {
    updateEndpoints();
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      for (const deployment of deployments.values()) deployment.reconcile();
      updateEndpoints();
    });
  };
}

/** Throws a `RunError` that names what else than Deployments, and the issuer, the chart wants to run. */
function checkWorkloads(objects: readonly KubeObject[]): void {
  const others = objects
    .filter(({ kind }) => ['StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'ReplicaSet', 'Pod'].includes(kind))
    .filter(object => !isIssuer(object));
  if (others.length === 0) return;
  const names = others.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  throw new RunError(`the local run runs Deployments only, not ${names.join(', ')}: choose values without it`);
}

/** The port of the edge; meshes of tests may have none, and nobody asks for it then. */
function portOfEdge(objects: readonly KubeObject[]): number {
  const edge = ofKind(objects, 'Deployment').find(({ metadata }) => metadata.name === edgeName);
  return edge === undefined ? 0 : mainPortOf(edge);
}

/** Throws a `RunError` with all that is in the way of these objects' pods, unless there is nothing. */
async function preflight(
  objects: readonly KubeObject[],
  { net }: AddressPool,
  edge: ChosenPort,
  machine: Machine,
): Promise<void> {
  const wanted = new Map<string, number[]>();
  for (const object of ofKind(objects, 'Deployment')) {
    // An address that no pod has yet stands for all of them: only a program that listens on every address can be in the way.
    const address = object.metadata.name === edgeName ? edge.address : `127.0.${net}.255`;
    wanted.set(address, [...new Set([...(wanted.get(address) ?? []), ...portsOf(object, objects)])]);
  }
  const problems = [...(await portProblems(wanted, edge)), ...resourceProblems(machine, needsOf(objects))];
  if (problems.length > 0) throw new RunError(problems.join('\n'));
}
