import { request } from 'node:http';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { service as health } from 'grpc-health-check';
import { DIRECT_CHANNEL } from '../../services/kit/connect-directly.ts';
import type { Container, Probe } from './manifest.ts';

/** Asks a container once; resolves with whether it is well, never rejects. */
export type Check = (signal: AbortSignal) => Promise<boolean>;

/** The check that a probe describes, for a container at `address`. A connection per check, as a kubelet makes it. */
export function checkOf(probe: Probe, container: Container, address: string): Check {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const { httpGet, grpc } = probe;
  if (httpGet !== undefined) {
    const port = portOf(httpGet.port, container);
    return signal =>
      checkHttp(`http://${address}:${port}${httpGet.path ?? '/'}`, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
  }
  if (grpc !== undefined) return signal => checkGrpc(`${address}:${grpc.port}`, grpc.service ?? '', timeoutMs, signal);
  return () => Promise.resolve(true);
}

function portOf(port: number | string, container: Container): number {
  if (typeof port === 'number') return port;
  return container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port);
}

function checkHttp(url: string, signal: AbortSignal): Promise<boolean> {
  return new Promise<boolean>(resolve => {
    const call = request(url, { agent: false, signal }, response => {
      response.resume();
      resolve((response.statusCode ?? 500) >= 200 && (response.statusCode ?? 500) < 400);
    });
    call.on('error', () => resolve(false)).end();
  }).catch(() => false); // a port that is none
}

function checkGrpc(target: string, service: string, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  // A pool of its own: the channel's back-off after a refused connection must not delay the next check.
  const client = new Client(target, credentials.createInsecure(), {
    ...DIRECT_CHANNEL,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  });
  const { path, requestSerialize, responseDeserialize } = health.Check ?? never();
  const settled = new AbortController();
  return new Promise<boolean>(resolve => {
    const done = (error: ServiceError | null, reply?: unknown) =>
      resolve(error === null && (reply as { status?: string | number }).status === 'SERVING');
    const options = { deadline: Date.now() + timeoutMs };
    const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, options, done);
    signal.addEventListener('abort', () => call.cancel(), { once: true, signal: settled.signal });
  }).finally(() => {
    settled.abort();
    client.close();
  });
}

function never(): never {
  throw new Error('grpc-health-check has no method Check');
}
