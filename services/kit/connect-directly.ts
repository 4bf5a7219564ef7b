import { setGlobalProxyFromEnv } from 'node:http';

/** A channel of grpc-js that uses no proxy, whatever `http_proxy`, `https_proxy` and `grpc_proxy` say. */
export const DIRECT_CHANNEL = { 'grpc.enable_http_proxy': 0 } as const;

/** Port 9 discards. Nothing is sent there: the variables below also say that every host is reached without a proxy. */
const NO_PROXY = { http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9', no_proxy: '*' };

/**
 * Has `fetch` and `node:http` of this process reach everything directly, also where NODE_USE_ENV_PROXY or `--use-env-proxy` tells
 * Node to obey the proxy variables of the environment. All that this process calls is part of the mesh, and no proxy knows the way.
 * The environment stays as it is, because programs that this process starts to download something need it.
 */
export function connectDirectly(): void {
  setGlobalProxyFromEnv(NO_PROXY); // without any proxy it would leave what Node has read at its start
}
