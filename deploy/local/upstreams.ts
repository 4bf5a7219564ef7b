import type { Deployment } from './deployment.ts';

/** Where the Envoys of the chart tell about themselves. */
const ADMIN_PORT = 15_000;
const ANSWER_MS = 1000;

/** What is read of an answer of `/clusters?format=json`; see envoy.admin.v3.Clusters. */
interface Clusters {
  readonly cluster_statuses?: readonly {
    readonly name: string;
    readonly host_statuses?: readonly { readonly health_status: { readonly failed_active_health_check?: boolean } }[];
  }[];
}

/**
 * Whether every Envoy of the pods sends calls to each ready pod of the services that it calls. It does so only when it has asked that
 * pod itself, and one that was asked too early is asked again a second later.
 */
export async function reachUpstreams(deployments: readonly Deployment[]): Promise<boolean> {
  const ready = new Map(deployments.map(({ object, pods }) => [object.metadata.name, pods.filter(pod => pod.ready).length]));
  const reaches = async (address: string) => {
    const { cluster_statuses: clusters = [] } = await clustersOf(address);
    return clusters.every(({ name, host_statuses: hosts = [] }) => {
      const well = hosts.filter(({ health_status }) => !health_status.failed_active_health_check).length;
      return well >= (ready.get(name) ?? hosts.length);
    });
  };
  const proxied = deployments.flatMap(({ pods }) =>
    pods.filter(({ containers }) => containers.some(({ name }) => name === 'envoy')),
  );
  return (await Promise.all(proxied.map(({ address }) => reaches(address).catch(() => false)))).every(Boolean);
}

async function clustersOf(address: string): Promise<Clusters> {
  const url = `http://${address}:${ADMIN_PORT}/clusters?format=json`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS), headers: { connection: 'close' } });
  return (await answer.json()) as Clusters;
}
