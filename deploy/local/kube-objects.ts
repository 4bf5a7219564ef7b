import type { Container } from './container.ts';
import type { Deployment } from './deployment.ts';
import { namespace, serviceLabel } from './manifest.ts';
import type { Pod } from './pod.ts';

/** A pod as the Kubernetes API shows it. A container's id is `process://<pid>`. */
export function podObject(pod: Pod) {
  const { name, labels, createdAt, address, ready, terminating, containers } = pod;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels,
      creationTimestamp: createdAt.toISOString(),
      ...(terminating && { deletionTimestamp: new Date().toISOString() }),
    },
    status: {
      phase: containers.length > 0 && containers.every(({ started }) => started) ? 'Running' : 'Pending',
      podIP: address,
      startTime: createdAt.toISOString(),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: containers.map(containerStatus),
    },
  };
}

/** The Kubernetes API's pod, as far as this API shows it. */
export type PodObject = ReturnType<typeof podObject>;

function containerStatus({ name, ready, started, restarts, pid, lastExit }: Container) {
  return {
    name,
    ready,
    started,
    restartCount: restarts,
    ...(pid !== undefined && { containerID: `process://${pid}` }),
    state: pid === undefined ? { waiting: { reason: 'CrashLoopBackOff' } } : { running: {} },
    lastState: lastExit === undefined ? {} : { terminated: { reason: lastExit } },
  };
}

/** A Deployment as the Kubernetes API shows it, with what a rollout's progress is read from. */
export function deploymentObject(deployment: Deployment) {
  const { object, generation, pods, updated } = deployment;
  const living = pods.filter(({ terminating }) => !terminating);
  const ready = living.filter(pod => pod.ready).length;
  return {
    ...object,
    metadata: { ...object.metadata, namespace, generation },
    spec: { ...object.spec, replicas: object.spec.replicas ?? 1 },
    status: {
      observedGeneration: generation,
      replicas: living.length,
      updatedReplicas: updated.length,
      readyReplicas: ready,
      availableReplicas: ready,
      terminatingReplicas: pods.length - living.length,
    },
  };
}

/** The Kubernetes API's Deployment, as far as this API shows it. */
export type DeploymentView = ReturnType<typeof deploymentObject>;

/** The sub-resource `scale` of a Deployment. */
export function scaleObject({ name, object, pods }: Deployment) {
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace },
    spec: { replicas: object.spec.replicas ?? 1 },
    status: { replicas: pods.filter(({ terminating }) => !terminating).length, selector: `${serviceLabel}=${name}` },
  };
}

/** A list of objects as the Kubernetes API answers it. */
export function listOf<T>(apiVersion: string, kind: string, items: T[]) {
  return { apiVersion, kind: `${kind}List`, metadata: {}, items };
}
