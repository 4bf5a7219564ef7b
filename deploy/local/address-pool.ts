import type { Server } from 'node:net';
import { takeLock } from './lock.ts';
import { listeningNets } from './port-holder.ts';
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

/**
 * Reserves a net: `net`, else the first from 1 that is free and on which nobody listens. No two meshes of a machine share one, also
 * not those of other checkouts. Throws a `RunError` when there is none.
 */
export async function reserveAddresses(net?: number): Promise<AddressPool> {
  const occupied = net === undefined ? listeningNets() : new Set<number>();
  const candidates = net === undefined ? Array.from({ length: 254 }, (_, index) => index + 1) : [net];
  for (const candidate of candidates) {
    const reservation = occupied.has(candidate) ? undefined : await takeLock(`net-${candidate}`);
    if (reservation !== undefined) return pool(candidate, reservation);
  }
  const taken = net === undefined ? 'each of 127.0.1.x to 127.0.254.x' : `127.0.${net}.x`;
  throw new RunError(`no addresses for the pods: ${taken} is taken by another mesh. End one: make down`);
}

function pool(net: number, reservation: Server): AddressPool {
  const taken = new Set<string>();
  let last = 1; // 127.0.<net>.1 is left to others
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
