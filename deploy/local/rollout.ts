import type { ControlClient } from './control-client.ts';
import type { DeploymentView } from './kube-objects.ts';
import { RunError } from './run-error.ts';
import { waitUntil } from './wait.ts';

/** How long a rollout may take before the command gives up waiting, in milliseconds. */
const timeoutMs = 180_000;

/** Replaces all pods of a service and waits for the end; returns what happened in a line. */
export async function restartService(client: ControlClient, service: string, signal: AbortSignal): Promise<string> {
  const since = performance.now();
  await client.restart(service);
  const { spec } = await untilDone(client, service, `the restart of ${service}`, signal);
  return `${service}: ${count(spec.replicas)} replaced in ${seconds(since)}`;
}

/** Scales a service and waits for the end; returns what happened in a line. */
export async function scaleService(
  client: ControlClient,
  service: string,
  replicas: number,
  signal: AbortSignal,
): Promise<string> {
  const since = performance.now();
  const { spec } = await client.deployment(service);
  if (spec.replicas === replicas) return `${service}: has ${count(replicas)} already`;
  await client.scale(service, replicas);
  await untilDone(client, service, `scaling ${service} to ${replicas}`, signal);
  return `${service}: ${count(replicas)}, was ${spec.replicas}, in ${seconds(since)}`;
}

async function untilDone(client: ControlClient, service: string, doing: string, signal: AbortSignal): Promise<DeploymentView> {
  let view = await client.deployment(service);
  const done = async () => {
    view = await client.deployment(service);
    const { updatedReplicas, readyReplicas, replicas, terminatingReplicas } = view.status;
    return (
      terminatingReplicas === 0 && [updatedReplicas, readyReplicas, replicas].every(number => number === view.spec.replicas)
    );
  };
  if (await waitUntil(done, { timeoutMs, intervalMs: 100, signal })) return view;
  throw new RunError(
    `${doing} is not done after ${timeoutMs / 1000} s; it goes on. See: make status, make logs SERVICE=${service}`,
  );
}

const count = (replicas: number) => (replicas === 1 ? '1 pod' : `${replicas} pods`);
const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
