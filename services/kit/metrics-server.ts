import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Address } from './config.ts';
import { readMetrics } from './metrics.ts';
import { negotiateFormat, wantsGzip } from './negotiate.ts';

/** How long a client may take to send its request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 5000;

/** The one path, in origin or absolute form, with any query. */
const METRICS = /^(?:https?:\/\/[^/?]*)?\/metrics(?:\?.*)?$/;

const compress = promisify(gzip);

/**
 * Answers GET and HEAD of /metrics, and nothing else, until the process ends, which it does not keep from ending. The client
 * chooses the text format or OpenMetrics by `Accept`, and gzip by `Accept-Encoding`.
 *
 * @returns the port, a free one when the address's is 0; rejects when the address cannot be bound
 */
export async function listenForMetrics({ host, port }: Address): Promise<number> {
  const timeouts = {
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
  };
  const server = createServer(timeouts, (request, response) => {
    if (!METRICS.test(request.url ?? '')) response.writeHead(404).end();
    else if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
    else answer(request, response).catch(error => refuse(response, error));
  });
  await listening(server, host, port);
  server.unref();
  return (server.address() as AddressInfo).port;
}

async function answer({ headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  const contentType = negotiateFormat(headers);
  const text = await readMetrics(contentType);
  const zipped = wantsGzip(headers);
  const body = zipped ? await compress(text) : Buffer.from(text);
  response.writeHead(200, {
    'content-type': contentType,
    'content-length': body.length,
    vary: 'accept, accept-encoding',
    ...(zipped && { 'content-encoding': 'gzip' }),
  });
  response.end(body); // of which Node sends nothing to HEAD
}

/** A gauge that cannot be looked up fails the scrape, which Prometheus shows, and not the process. */
function refuse(response: ServerResponse, error: unknown): void {
  const says = error instanceof Error ? error.message : String(error);
  response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(`the metrics cannot be read: ${says}\n`);
}

function listening(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  return promise;
}
