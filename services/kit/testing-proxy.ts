import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A proxy that serves nobody and counts who tries. */
export interface RecordingProxy extends AsyncDisposable {
  /** The environment of a user who works behind it, in every spelling that Node, grpc-js, grpcio, curl and Go read. */
  readonly env: Readonly<Record<string, string>>;
  /** What was asked of it: the first line of each connection. */
  readonly asked: readonly string[];
}

const PROXIES = ['http_proxy', 'https_proxy', 'all_proxy', 'grpc_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];

/** Starts a proxy on a free port. */
export async function recordingProxy(): Promise<RecordingProxy> {
  const asked: string[] = [];
  const server = createServer(socket => {
    const n = asked.push('') - 1;
    socket.on('error', () => {});
    socket.once('data', data => {
      asked[n] = data.toString('latin1').split('\r\n')[0] ?? '';
      socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxies = Object.fromEntries(PROXIES.map(name => [name, url]));
  return {
    env: { ...proxies, no_proxy: 'example.com', NO_PROXY: 'example.com', NODE_USE_ENV_PROXY: '1' },
    asked,
    [Symbol.asyncDispose]: async () => {
      await new Promise(resolve => server.close(resolve));
    },
  };
}
