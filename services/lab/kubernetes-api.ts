import { readFileSync } from 'node:fs';
import { type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { status } from '@grpc/grpc-js';
import { RpcError } from '../kit/rpc-error.ts';

/** A way to the Kubernetes API, or to what answers a few of its calls. */
export interface KubernetesApi {
  readonly namespace: string;
  /**
   * Makes a call, with a merge patch when there is a body; resolves to the object that is answered.
   *
   * @throws RpcError with the server's words: NOT_FOUND, PERMISSION_DENIED, else FAILED_PRECONDITION; UNAVAILABLE without an answer
   */
  call(method: string, path: string, signal: AbortSignal, body?: object): Promise<unknown>;
}

/** Where Kubernetes mounts what a pod needs to be known to its API. */
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The longest wait for an answer, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** The API as a pod of a cluster reaches it: with its service account's token, which is read anew, as Kubernetes replaces it. */
export function clusterApi(host: string, port: number, account = ACCOUNT): KubernetesApi {
  const file = (name: string) => readFileSync(join(account, name), 'utf8');
  const way = () => ({ host, port, ca: file('ca.crt'), headers: { authorization: `Bearer ${file('token').trim()}` } });
  return { namespace: file('namespace').trim(), call: caller(requestTls, way) };
}

/** The API as the local run answers it: on a Unix socket that only its owner can use. */
export function localApi(socket: string): KubernetesApi {
  const short = relative(process.cwd(), socket); // the kernel refuses paths of more than 107 bytes: unix(7)
  const socketPath = short.length < socket.length ? short : socket;
  return { namespace: 'telltale', call: caller(requestPlain, () => ({ socketPath })) };
}

/** Where there is neither: every call is UNAVAILABLE, and says so. */
export const noApi: KubernetesApi = {
  namespace: '',
  call: () => Promise.reject(unavailable('there is no Kubernetes API here: the lab runs neither in a cluster nor by make up')),
};

function caller(send: typeof requestPlain, way: () => RequestOptions): KubernetesApi['call'] {
  return async (method, path, signal, body) => {
    const { promise, resolve, reject } = Promise.withResolvers<{ code: number; answer: string }>();
    const { headers, ...rest } = way();
    const type = body && { 'content-type': 'application/merge-patch+json' };
    const limits = { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) };
    const outgoing = send({ ...rest, ...limits, method, path, headers: { ...headers, ...type } }, response => {
      text(response).then(answer => resolve({ code: response.statusCode ?? 0, answer }), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body && JSON.stringify(body));
    const { code, answer } = await promise.catch(cause => {
      signal.throwIfAborted();
      throw unavailable('the Kubernetes API does not answer', cause);
    });
    const object = parsed(answer) as { message?: string };
    if (code >= 200 && code < 300) return object;
    const says = object.message ?? `the Kubernetes API answered ${code}`;
    const codes: Record<number, status> = { 403: status.PERMISSION_DENIED, 404: status.NOT_FOUND };
    throw new RpcError(codes[code] ?? status.FAILED_PRECONDITION, says, { reason: 'KUBERNETES_API' });
  };
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return {};
  }
}

function unavailable(message: string, cause?: unknown): RpcError {
  return new RpcError(status.UNAVAILABLE, message, { reason: 'KUBERNETES_API', cause });
}
