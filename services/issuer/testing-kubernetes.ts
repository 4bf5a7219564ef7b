import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A Kubernetes API with a few empty Secrets. */
export interface TestApi {
  readonly url: string;
  /** What each Secret holds, in base64 as the API does. */
  readonly secrets: Map<string, Record<string, string>>;
  /** Every request: method, path and content type. */
  readonly requests: string[];
  /** What is answered to the next requests, in their order, instead of the truth; `hang up` ends the connection. */
  readonly next: (number | 'hang up')[];
  close(): void;
}

interface Patch {
  metadata?: { resourceVersion?: string };
  data?: Record<string, string | null>;
}

/** The one token that {@link startApi} accepts. */
export const TOKEN = 'token-of-the-issuer';

/** Serves GET and merge patches of Secrets of the namespace `mesh`, with the API's optimistic locking. By TLS when there are `options`. */
export async function startApi(names: readonly string[], options?: ServerOptions): Promise<TestApi> {
  const secrets = new Map(names.map(name => [name, {} as Record<string, string>]));
  const versions = new Map(names.map((name, index) => [name, 100 + index]));
  const [requests, next]: [string[], TestApi['next']] = [[], []];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const patch = request.method === 'PATCH' ? ((await json(request)) as Patch) : undefined;
    requests.push([request.method, request.url, request.headers['content-type']].filter(Boolean).join(' '));
    const [, name = ''] = /^\/api\/v1\/namespaces\/mesh\/secrets\/([^/?]+)$/.exec(request.url ?? '') ?? [];
    const [data, version] = [secrets.get(name), String(versions.get(name))];
    const planned = next.shift();
    if (planned === 'hang up') return void request.destroy();
    const say = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    if (planned !== undefined) return void say(planned, { kind: 'Status', message: `planned ${planned}` });
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return void say(401, { kind: 'Status', message: 'Unauthorized' });
    if (!data) return void say(404, { kind: 'Status', message: `secrets "${name}" not found` });
    if (patch) {
      const based = patch.metadata?.resourceVersion;
      if (based !== undefined && based !== version)
        return void say(409, { kind: 'Status', message: 'the object has been modified' });
      for (const [key, value] of Object.entries(patch.data ?? {})) {
        if (value === null) delete data[key];
        else data[key] = value;
      }
      versions.set(name, Number(version) + 10);
    }
    say(200, { kind: 'Secret', metadata: { name, resourceVersion: String(versions.get(name)) }, data });
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => void answer(request, response);
  const server = options ? createHttps(options, listener) : createHttp(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = () => void server.close().closeAllConnections();
  return { url: options ? `https://localhost:${port}` : `http://127.0.0.1:${port}`, secrets, requests, next, close };
}
