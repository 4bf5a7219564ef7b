import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from './config.ts';
import { readMetrics, registry } from './metrics.ts';

/** How long a client may take to send its request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 5000;

/**
 * Answers GET /metrics with all metrics, and nothing else, until the process ends, which it does not keep from ending.
 *
 * @returns the port, a free one when the address's is 0; rejects when the address cannot be bound
 */
export async function listenForMetrics({ host, port }: Address): Promise<number> {
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: REQUEST_TIMEOUT_MS },
    async ({ method, url }, response) => {
      if (url !== '/metrics') response.writeHead(404).end();
      else if (method !== 'GET') response.writeHead(405, { allow: 'GET' }).end();
      else response.writeHead(200, { 'content-type': registry.contentType }).end(await readMetrics());
    },
  );
  await listening(server, host, port);
  server.unref();
  return (server.address() as AddressInfo).port;
}

function listening(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  return promise;
}
