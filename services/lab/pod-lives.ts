import { SERVICES } from './control.ts';
import { type KubernetesApi, noApi } from './kubernetes-api.ts';

/** A pod of a service, and how often a process of it has been started again. */
export interface PodLife {
  readonly name: string;
  readonly service: string;
  readonly restarts: number;
}

/** Looks at the pods of all services, without those that are terminating. */
export type PodLives = (signal: AbortSignal) => Promise<readonly PodLife[]>;

interface ContainerStatus {
  restartCount: number;
  state?: { running?: object };
}

interface PodObject {
  metadata: { name: string; labels?: Record<string, string>; deletionTimestamp?: string };
  status?: { containerStatuses?: ContainerStatus[]; initContainerStatuses?: ContainerStatus[] };
}

/** The pods as the Kubernetes API shows them; where there is none, nobody can look, and there seem to be no pods. */
export function podLives(api: KubernetesApi): PodLives {
  if (api === noApi) return async () => [];
  return async signal => {
    const { items } = (await api.call('GET', `/api/v1/namespaces/${api.namespace}/pods`, signal)) as { items: PodObject[] };
    return items.flatMap(({ metadata: { name, labels, deletionTimestamp }, status = {} }) => {
      const service = labels?.['app.kubernetes.io/name'] ?? '';
      if (deletionTimestamp !== undefined || !SERVICES.includes(service)) return [];
      const containers = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])];
      return [{ name, service, restarts: containers.map(startsAgain).reduce((sum, each) => sum + each, 0) }];
    });
  };
}

/** One that has ended will be started again, which its count does not say yet. */
function startsAgain({ restartCount, state }: ContainerStatus): number {
  return restartCount + (state?.running ? 0 : 1);
}
