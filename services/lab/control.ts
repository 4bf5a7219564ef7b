import { status } from '@grpc/grpc-js';
import { RpcError } from '../kit/rpc-error.ts';
import type { KubernetesApi } from './kubernetes-api.ts';

/** A pod of a service. */
export interface PodSummary {
  readonly name: string;
  readonly address: string;
  readonly ready: boolean;
  readonly terminating: boolean;
}

/** What a scenario may do to the pods of the services of this release, and to nothing else. */
export interface Control {
  /** The pods of a service. Every method rejects with an RpcError: NOT_FOUND for a service that the lab does not know. */
  pods(service: string, signal: AbortSignal): Promise<PodSummary[]>;
  /** Ends a pod at once, without its time to stop; its Deployment makes another. */
  killPod(service: string, pod: string, signal: AbortSignal): Promise<void>;
  /** The number of pods that a service shall have. */
  replicas(service: string, signal: AbortSignal): Promise<number>;
  /** Changes it; resolves before the pods are there. */
  scale(service: string, replicas: number, signal: AbortSignal): Promise<void>;
  /** Begins to replace all pods of a service. */
  restart(service: string, signal: AbortSignal): Promise<void>;
}

/** The services whose pods a scenario may touch; the lab's own are not among them. */
export const SERVICES: readonly string[] = ['storefront', 'users', 'orders', 'payments'];

const NAME_LABEL = 'app.kubernetes.io/name';

interface PodObject {
  metadata: { name: string; labels?: Record<string, string>; deletionTimestamp?: string };
  status?: { podIP?: string; conditions?: { type: string; status: string }[] };
}

/** Controls the services by the Kubernetes API, which the local run answers as a cluster does. */
export function meshControl(api: KubernetesApi): Control {
  const core = `/api/v1/namespaces/${api.namespace}`;
  const apps = `/apis/apps/v1/namespaces/${api.namespace}/deployments`;
  const pods = async (service: string, signal: AbortSignal) => {
    const selector = encodeURIComponent(`${NAME_LABEL}=${known(service)}`);
    const { items } = (await api.call('GET', `${core}/pods?labelSelector=${selector}`, signal)) as { items: PodObject[] };
    return items.map(summaryOf);
  };
  const scaleOf = (service: string) => `${apps}/${known(service)}/scale`;
  return {
    pods,
    async killPod(service, pod, signal) {
      if (!(await pods(service, signal)).some(({ name }) => name === pod)) throw notFound(`${service} has no pod ${pod}`);
      await api.call('DELETE', `${core}/pods/${pod}?gracePeriodSeconds=0`, signal);
    },
    async replicas(service, signal) {
      const { spec } = (await api.call('GET', scaleOf(service), signal)) as { spec: { replicas?: number } };
      return spec.replicas ?? 0;
    },
    async scale(service, replicas, signal) {
      await api.call('PATCH', scaleOf(service), signal, { spec: { replicas } });
    },
    async restart(service, signal) {
      const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() };
      await api.call('PATCH', `${apps}/${known(service)}`, signal, { spec: { template: { metadata: { annotations } } } });
    },
  };
}

function summaryOf({ metadata, status: { podIP = '', conditions = [] } = {} }: PodObject): PodSummary {
  const ready = conditions.some(condition => condition.type === 'Ready' && condition.status === 'True');
  return { name: metadata.name, address: podIP, ready, terminating: metadata.deletionTimestamp !== undefined };
}

function known(service: string): string {
  if (SERVICES.includes(service)) return service;
  throw notFound(`the lab controls ${SERVICES.join(', ')}, and not ${JSON.stringify(service.slice(0, 64))}`);
}

function notFound(message: string): RpcError {
  return new RpcError(status.NOT_FOUND, message, { reason: 'NOT_CONTROLLED' });
}
