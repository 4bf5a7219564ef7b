import { isIPv4, isIPv6 } from 'node:net';

/** The cluster that kubectl points at. */
export interface Cluster {
  /** The name of kubectl's context. */
  readonly context: string;
  /** The URL of the API server. */
  readonly server: string;
}

/** What makes clusters on one's own machine, and the names that it gives their contexts. */
const localContexts = {
  kind: /^kind-./,
  minikube: /^minikube$/,
  k3d: /^k3d-./,
  'Docker Desktop': /^docker-(desktop|for-desktop)$/,
  'Rancher Desktop': /^rancher-desktop$/,
  OrbStack: /^orbstack$/,
  Colima: /^colima(-.+)?$/,
  MicroK8s: /^microk8s$/,
};

/** One of the programs that make a cluster on one's own machine. */
export type Maker = keyof typeof localContexts;

/** What made the cluster, by the name of its context; undefined when no program gives such a name. */
export function makerOf({ context }: Cluster): Maker | undefined {
  return (Object.keys(localContexts) as Maker[]).find(maker => localContexts[maker].test(context));
}

/**
 * Why the cluster must not be changed without being asked for by name; undefined when it may be. It may when its context has the
 * name of a local one and its API server an address that no network outside can have, as either alone is easily wrong: a tunnel
 * makes any cluster look like 127.0.0.1, and a context can be renamed. `told` is the context that the caller has asked for.
 */
export function refusal(cluster: Cluster, told: string | undefined): string | undefined {
  if (told === cluster.context) return undefined;
  const meant = `If it is the one that you mean, say so: CLUSTER=${cluster.context}`;
  if (told) return `kubectl points at "${cluster.context}", not at "${told}". ${meant}`;
  if (makerOf(cluster) === undefined) {
    const makers = Object.keys(localContexts).join(', ');
    return `kubectl points at "${cluster.context}", which is no context of ${makers}. ${meant}`;
  }
  if (!isPrivate(hostOf(cluster.server)))
    return `kubectl's context "${cluster.context}" has the name of a local cluster, but its server is ${cluster.server}. ${meant}`;
  return undefined;
}

function hostOf(server: string): string {
  return URL.canParse(server) ? new URL(server).hostname.replace(/^\[|\]$/g, '') : server;
}

/** Private, loopback, shared, link-local, unspecified and benchmark addresses (RFC 6890), and names that no public DNS has. */
const privateIPv4 = [
  /^(0|10|127)\./,
  /^192\.168\./,
  /^169\.254\./,
  /^172\.(1[6-9]|2\d|3[01])\./,
  /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./,
  /^198\.1[89]\./,
];

function isPrivate(host: string): boolean {
  if (isIPv4(host)) return privateIPv4.some(range => range.test(host));
  if (isIPv6(host)) return /^(::1?|f[cd].*|fe[89ab].*)$/i.test(host);
  return host === 'localhost' || /\.(internal|local|localhost)$/.test(host) || !host.includes('.');
}
