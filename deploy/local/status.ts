import Table from 'cli-table3';
import { controlClient } from './control-client.ts';
import type { PodObject } from './kube-objects.ts';
import { serviceLabel } from './manifest.ts';
import { runPaths } from './paths.ts';
import { runInfo } from './run-folder.ts';

/** What runs, for people and for programs. */
export interface Status {
  running: boolean;
  /** Every service has as many ready pods as it should have, and no others. */
  ready: boolean;
  startedAt?: string;
  edge?: string;
  pods: PodStatus[];
}

export interface PodStatus {
  service: string;
  pod: string;
  address: string;
  ready: boolean;
  terminating: boolean;
  /** Of all its containers together. */
  restarts: number;
  ageSeconds: number;
}

/** The status of the run in `dir`. Throws a `RunError` when there is a supervisor that does not answer. */
export async function readStatus(dir: string): Promise<Status> {
  const info = runInfo(dir);
  if (info?.edge === undefined) return { running: false, ready: false, pods: [] };
  const client = controlClient(runPaths(dir));
  const [pods, deployments] = await Promise.all([client.pods(), client.deployments()]);
  const rolledOut = deployments.every(
    ({ spec, status }) => status.readyReplicas === spec.replicas && status.replicas === spec.replicas,
  );
  return {
    running: true,
    ready: rolledOut && pods.every(pod => isReady(pod)),
    startedAt: info.startedAt,
    edge: info.edge,
    pods: pods.map(podStatus).sort((a, b) => a.service.localeCompare(b.service) || a.pod.localeCompare(b.pod)),
  };
}

/** The pods as a table. */
export function statusTable(
  pods: readonly PodStatus[],
  paint: (format: 'bold' | 'green' | 'red', text: string) => string,
): string {
  const table = new Table({
    head: ['SERVICE', 'POD', 'ADDRESS', 'READY', 'RESTARTS', 'AGE'].map(title => paint('bold', title)),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: Object.fromEntries(
      ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
        .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
        .map(name => [name, '']),
    ),
  });
  for (const { service, pod, address, ready, terminating, restarts, ageSeconds } of pods) {
    const state = terminating ? 'ending' : ready ? paint('green', 'yes') : paint('red', 'no');
    table.push([service, pod, address, state, restarts, age(ageSeconds)]);
  }
  return table.toString().replace(/ +$/gm, '');
}

const isReady = ({ status }: PodObject) =>
  status.conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');

function podStatus(pod: PodObject): PodStatus {
  return {
    service: pod.metadata.labels[serviceLabel] ?? pod.metadata.name,
    pod: pod.metadata.name,
    address: pod.status.podIP,
    ready: isReady(pod),
    terminating: pod.metadata.deletionTimestamp !== undefined,
    restarts: pod.status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    ageSeconds: Math.round((Date.now() - Date.parse(pod.metadata.creationTimestamp)) / 1000),
  };
}

function age(seconds: number): string {
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return `${Math.floor(seconds / 3600)}h`;
}
