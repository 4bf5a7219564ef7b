import { createServer, type Server } from 'node:net';
import { portHolder } from './port-holder.ts';
import { RunError } from './run-error.ts';

/** Loopback addresses for pods, `127.0.<net>.<n>`. */
export interface AddressPool {
  /** The third number of every address. */
  readonly net: number;
  /** The next free address. In turn, so that an address that a pod has left is not soon another pod's. */
  take(): string;
  /** Makes an address free again. */
  release(address: string): void;
  /** Gives the whole net back. */
  close(): Promise<void>;
}

/** A port that no other program of this machine may hold on every address, and that marks a net as taken while a mesh runs. */
const edgePort = 8080;

/**
 * Reserves a net: `net`, else the first free one from 1. A net is reserved by a listening socket on `127.0.<net>.1:8080`,
 * so that two meshes never share one, also not with another checkout's. Throws a `RunError` when there is none.
 */
export async function reserveAddresses(net?: number): Promise<AddressPool> {
  const candidates = net === undefined ? Array.from({ length: 254 }, (_, index) => index + 1) : [net];
  for (const candidate of candidates) {
    const reservation = await listen(`127.0.${candidate}.1`, edgePort);
    if (reservation !== undefined) return pool(candidate, reservation);
  }
  const where = net === undefined ? 'on every loopback address' : `on 127.0.${net}.1`;
  throw new RunError(
    `no addresses for the pods: port ${edgePort} ${where} is taken by ${portHolder(`127.0.${net ?? 1}.1`, edgePort)}. Stop it.`,
  );
}

function pool(net: number, reservation: Server): AddressPool {
  const taken = new Set<string>();
  let last = 1; // the reservation itself
  return {
    net,
    take() {
      for (let tries = 0; tries < 253; tries++) {
        last = last === 254 ? 2 : last + 1;
        const address = `127.0.${net}.${last}`;
        if (!taken.has(address)) {
          taken.add(address);
          return address;
        }
      }
      throw new RunError(`more than 253 pods: no address is left in 127.0.${net}.x`);
    },
    release: address => taken.delete(address),
    close: () => new Promise(resolve => reservation.close(() => resolve())),
  };
}

function listen(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen({ host, port, exclusive: true }, () => resolve(server.unref()));
  });
}
