import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The one address that any of this listens on. */
export const LOOPBACK = '127.0.0.1';

/** A way to a port of this machine that counts what goes over it. Dispose of it to cut its connections and to close it. */
export interface ByteRelay extends AsyncDisposable {
  /** Where it listens, on loopback. */
  readonly port: number;
  /** The bytes that its sockets have read from and written to those who dialled it, together. */
  bytes(): number;
}

/** Opens a relay to a port of loopback. */
export async function openByteRelay(target: number): Promise<ByteRelay> {
  const near: Socket[] = [];
  const all = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, socket => {
    const far = connect({ host: LOOPBACK, port: target, noDelay: true, allowHalfOpen: true });
    near.push(socket);
    for (const [one, other] of [
      [socket, far],
      [far, socket],
    ] as const) {
      all.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => all.delete(one));
    }
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => near.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of all) socket.destroy();
      await closed;
    },
  };
}
