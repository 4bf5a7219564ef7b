import type { Deployment as DeploymentObject, PodTemplate } from './manifest.ts';
import type { Pod } from './pod.ts';
import { podName, templateHash } from './pod-name.ts';
import { RunError } from './run-error.ts';
import { waitUntil } from './wait.ts';

/** A Deployment that is kept true: as many ready pods of the current template as it asks for. */
export interface Deployment {
  readonly name: string;
  /** The object as it is now. */
  readonly object: DeploymentObject;
  /** Counts the changes of its spec. */
  readonly generation: number;
  /** Every pod, also those that are terminating. */
  readonly pods: readonly Pod[];
  /** Pods of the current template. */
  readonly updated: readonly Pod[];
  /** All pods are of the current template, ready, as many as asked for, and every older one is gone. */
  readonly complete: boolean;
  /** Throws a `RunError` when there can be one pod only. */
  scale(replicas: number): void;
  /** Replaces every pod, as `kubectl rollout restart` does: by an annotation of the template that says when. */
  restart(restartedAt: string): void;
  /** Ends one pod; another takes its place at once. False when there is no such pod. */
  deletePod(name: string, graceMs?: number): boolean;
  /** Looks at the pods and starts and stops what is needed; called after each change of a pod. */
  reconcile(): void;
  /** Resolves with true when `complete`, with false after `timeoutMs`. */
  whenComplete(timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
  /** Stops every pod within `graceMs` (its own time when absent), with nobody to hand its calls over to, and starts none any more. */
  stop(graceMs?: number): Promise<void>;
}

export type StartPod = (name: string, template: PodTemplate) => Pod;

export interface DeploymentOptions {
  object: DeploymentObject;
  startPod: StartPod;
  /** Called when a pod's processes are gone; must lead to a `reconcile`. */
  onGone: (pod: Pod) => void;
  /** All its pods would have the same address: there is one at most, and the next starts when the last is gone. */
  single: boolean;
}

/** Keeps a Deployment true. Nothing is started before the first `reconcile`. */
export function keepDeployment({ object: initial, startPod: start, onGone, single }: DeploymentOptions): Deployment {
  let object = single ? { ...initial, spec: { ...initial.spec, replicas: 1 } } : initial;
  let hash = templateHash(object.spec.template);
  let generation = 1;
  let stopped = false;
  const pods = new Map<Pod, { hash: string; gone?: Promise<void> }>();
  const desired = () => (stopped ? 0 : (object.spec.replicas ?? 1));
  const living = () => [...pods.keys()].filter(pod => !pod.terminating);
  const isUpdated = (pod: Pod) => pods.get(pod)?.hash === hash;

  const stopPod = (pod: Pod, graceMs?: number, handOver = true) => {
    const entry = pods.get(pod);
    if (entry === undefined) return;
    const gone = pod.stop(graceMs, handOver);
    entry.gone ??= gone.then(() => {
      pods.delete(pod);
      onGone(pod);
    });
  };
  const addPod = () => {
    const { metadata, spec } = object.spec.template;
    const labels = { ...metadata?.labels, 'pod-template-hash': hash };
    const name = podName(object.metadata.name, hash);
    pods.set(start(name, { metadata: { ...metadata, labels }, spec }), { hash });
  };
  const change = (spec: Partial<DeploymentObject['spec']>) => {
    object = { ...object, spec: { ...object.spec, ...spec } };
    hash = templateHash(object.spec.template);
    generation += 1;
    deployment.reconcile();
  };

  const deployment: Deployment = {
    name: initial.metadata.name,
    get object() {
      return object;
    },
    get generation() {
      return generation;
    },
    get pods() {
      return [...pods.keys()];
    },
    get updated() {
      return living().filter(isUpdated);
    },
    get complete() {
      const all = [...pods.keys()];
      return all.length === desired() && all.every(pod => pod.ready && isUpdated(pod));
    },
    scale(replicas) {
      if (single && replicas > 1)
        throw new RunError(`${deployment.name} has one address on this machine, so it can have one pod only`);
      change({ replicas });
    },
    restart(restartedAt) {
      const { metadata, spec } = object.spec.template;
      const annotations = { ...metadata?.annotations, 'kubectl.kubernetes.io/restartedAt': restartedAt };
      change({ template: { metadata: { ...metadata, annotations }, spec } });
    },
    deletePod(name, graceMs) {
      const pod = [...pods.keys()].find(each => each.name === name);
      if (pod === undefined) return false;
      stopPod(pod, graceMs);
      deployment.reconcile();
      return true;
    },
    reconcile() {
      const updated = living().filter(isUpdated);
      const old = living().filter(pod => !isUpdated(pod));
      if (single || object.spec.strategy?.type === 'Recreate') {
        for (const pod of old) stopPod(pod);
        if (pods.size === updated.length) for (let missing = desired() - updated.length; missing > 0; missing--) addPod();
      } else {
        // maxSurge 1, maxUnavailable 0: one more than asked for, never fewer that are ready.
        const room = desired() + 1 - updated.length - old.length;
        for (let missing = Math.min(desired() - updated.length, room); missing > 0; missing--) addPod();
        for (const pod of spare(living(), old, desired())) stopPod(pod);
      }
      for (const pod of surplus(updated, desired())) stopPod(pod);
    },
    whenComplete: (timeoutMs, signal) => waitUntil(() => deployment.complete, { timeoutMs, signal }),
    async stop(graceMs) {
      stopped = true;
      for (const pod of pods.keys()) stopPod(pod, graceMs, false);
      await Promise.all([...pods.values()].map(({ gone }) => gone));
    },
  };
  return deployment;
}

/** The old pods that may go now: those that are not ready, and as many ready ones as leave `desired` ready pods. */
function spare(living: Pod[], old: Pod[], desired: number): Pod[] {
  const ready = living.filter(pod => pod.ready).length;
  return [...old.filter(pod => !pod.ready), ...old.filter(pod => pod.ready).slice(0, Math.max(0, ready - desired))];
}

/** The pods above `desired`: those that are not ready first, then the youngest (both as a ReplicaSet chooses). */
function surplus(pods: Pod[], desired: number): Pod[] {
  const order = pods.toSorted((a, b) => Number(a.ready) - Number(b.ready) || b.createdAt.getTime() - a.createdAt.getTime());
  return order.slice(0, Math.max(0, pods.length - desired));
}
