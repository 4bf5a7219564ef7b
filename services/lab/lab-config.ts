import { type CleanedEnv, str } from 'envalid';
import { address, integer, storeVariables } from '../kit/config.ts';
import { clusterApi, type KubernetesApi, localApi, noApi } from './kubernetes-api.ts';
import type { Conditions } from './result.ts';

/** What the lab reads besides what every service does. The names of the last three are Kubernetes' own and the local run's. */
export const labVariables = {
  TELLTALE_DATA_DIR: storeVariables.TELLTALE_DATA_DIR,
  TELLTALE_WIDE_EGRESS: address({
    default: undefined,
    desc: 'Its sidecar again, where one connection may carry more calls; without, TELLTALE_EGRESS',
  }),
  TELLTALE_IDENTITY: str({ default: '', desc: 'The folder of its identity, for calls past its sidecar; empty: in plain text' }),
  KUBERNETES_API_SOCKET: str({ default: '', desc: 'The Unix socket on which the local run answers the Kubernetes API' }),
  KUBERNETES_SERVICE_HOST: str({ default: '', desc: 'The address of the Kubernetes API, in a cluster' }),
  KUBERNETES_SERVICE_PORT: integer(1, 65_535)({ default: 443, desc: 'Its port' }),
};

/** How the lab reaches the Kubernetes API, and what it therefore runs on. */
export function apiOf(config: CleanedEnv<typeof labVariables>): { api: KubernetesApi; mode: Conditions['mode'] } {
  const { KUBERNETES_API_SOCKET: socket, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = config;
  if (socket !== '') return { api: localApi(socket), mode: 'local' };
  return host === '' ? { api: noApi, mode: 'local' } : { api: clusterApi(host, port), mode: 'cluster' };
}
