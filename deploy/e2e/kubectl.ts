import { execFile } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { forwardPort, type PortForward } from '../../services/lab/cli/port-forward.ts';

export type { PortForward };

const run = promisify(execFile);

/** The namespace that the checks run against, by the variable NAMESPACE; `make install` installs into this one. */
export const NAMESPACE = process.env.NAMESPACE ?? 'telltale';

/** Runs kubectl in the namespace and returns what it prints; throws with what it said. `input` is its standard input. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const running = run('kubectl', ['--namespace', NAMESPACE, ...args], { maxBuffer: 64 << 20 });
  running.child.stdin?.end(input ?? '');
  return (await running).stdout;
}

/** As {@link kubectl} with `-o json`, parsed. */
export async function kubectlJson<Answer>(...args: string[]): Promise<Answer> {
  return JSON.parse(await kubectl([...args, '-o', 'json'])) as Answer;
}

/** What the checks want to know of a pod. */
export interface Pod {
  metadata: { name: string; uid: string; deletionTimestamp?: string };
  spec: { containers: { name: string; image: string }[] };
  status: {
    phase: string;
    podIP?: string;
    conditions?: { type: string; status: string; lastTransitionTime: string }[];
    containerStatuses?: { name: string; restartCount: number }[];
    initContainerStatuses?: { name: string; restartCount: number }[];
  };
}

/** The pods of a part ("users", "edge"), without those that are being deleted. */
export async function podsOf(name: string): Promise<Pod[]> {
  const { items } = await kubectlJson<{ items: Pod[] }>('get', 'pods', '-l', `app.kubernetes.io/name=${name}`);
  return items.filter(pod => pod.metadata.deletionTimestamp === undefined);
}

/** Whether the pod is ready. */
export const isReady = (pod: Pod): boolean =>
  pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** How often any container of these pods was restarted. */
export function restartsOf(pods: Pod[]): number {
  const statuses = pods.flatMap(({ status }) => [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]);
  return statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

/** Waits until `check` holds; throws an Error that names `what` after so many milliseconds. */
export async function until(what: string, ms: number, check: () => Promise<boolean>): Promise<void> {
  const giveUp = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > giveUp) throw new Error(`${what}: not after ${ms / 1000} s`);
    await wait(200);
  }
}

/** Waits until every pod of the release is ready, or has done what it was there for, and no old one is left. */
export async function settled(): Promise<void> {
  await until('all pods are ready and no old one is left', 120_000, async () => {
    const { items } = await kubectlJson<{ items: Pod[] }>('get', 'pods', '-l', 'app.kubernetes.io/instance=telltale');
    const staying = items.filter(({ status }) => status.phase !== 'Succeeded');
    return staying.every(pod => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
  });
}

/** Restarts a Deployment and waits until its old pods are gone. */
export async function rolloutRestart(name: string): Promise<void> {
  await kubectl(['rollout', 'restart', `deployment/${name}`]);
  await kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=180s']);
  await settled();
}

/** Brings a port of something ("service/edge", "pod/users-1") to a free one of 127.0.0.1. Throws when kubectl cannot. */
export const portForward = (target: string, port: number): Promise<PortForward> => forwardPort(NAMESPACE, target, port);
