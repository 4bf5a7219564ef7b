import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { answer } from './control-routes.ts';
import type { Deployment } from './deployment.ts';
import { StatusError, statusOf } from './kube-status.ts';
import { socketPath } from './paths.ts';

/** The control API's server. */
export interface Control {
  close(): Promise<void>;
}

/** The longest patch that is read. */
const maxBodyBytes = 64 * 1024;

/**
 * Serves the few calls of the Kubernetes API that the lab and the command line need, in Kubernetes' own paths, shapes and codes,
 * on a Unix socket that only its owner can use.
 */
export async function serveControl(socket: string, deployments: ReadonlyMap<string, Deployment>): Promise<Control> {
  rmSync(socket, { force: true });
  const server = createServer(async (request, response) => {
    const [code, body] = await callOf(request)
      .then(call => [200, answer({ ...call, deployments })] as const)
      .catch((error: unknown) => [statusOf(error).code, statusOf(error)] as const);
    response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath(socket), resolve));
  chmodSync(socket, 0o600);
  return {
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function callOf(request: IncomingMessage) {
  const { method = 'GET', url = '/', headers } = request;
  if (!url.startsWith('/') || !URL.canParse(`http://control${url}`)) throw new StatusError(400, 'the path is no path');
  const { pathname, searchParams } = new URL(`http://control${url}`);
  return { method, path: pathname, query: searchParams, type: headers['content-type'] ?? '', body: await bodyOf(request) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new StatusError(413, `the body is longer than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
