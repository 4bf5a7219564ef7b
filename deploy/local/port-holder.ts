import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { commandOf } from './process-identity.ts';

/** Who listens on a port: `pid 123 (node server.js)`, or why that cannot be said; undefined when nobody listens. */
export function portHolder(address: string, port: number): string | undefined {
  const inode = listeners(port).find(({ local }) => local === address || local === '0.0.0.0')?.inode;
  if (inode === undefined) return undefined;
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    if (descriptors(pid).includes(`socket:[${inode}]`)) return `pid ${pid} (${commandOf(Number(pid)) ?? 'unknown command'})`;
  }
  return 'a process of another user (this user may not see which)';
}

/** Resolves with true when this process could listen on `address:port` now. */
export function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The listening sockets of a port, from /proc/net/tcp and tcp6 (proc_net_tcp(5): addresses in host byte order, state 0A is LISTEN). */
function listeners(port: number): { local: string; inode: string }[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(file => {
    const rows = readLines(file).map(line => line.trim().split(/\s+/));
    return rows.flatMap(([, local = '', , state, , , , , , inode = '']) => {
      const [address = '', localPort] = local.split(':');
      return state === '0A' && localPort === hex ? [{ local: readAddress(address), inode }] : [];
    });
  });
}

function readAddress(hex: string): string {
  // The last word of an IPv6 address is the IPv4 address that it may stand for; :: stands for all of them.
  return (hex.slice(-8).match(/../g) ?? [])
    .reverse()
    .map(byte => Number.parseInt(byte, 16))
    .join('.');
}

function descriptors(pid: string): string[] {
  try {
    const dir = `/proc/${pid}/fd`;
    return readdirSync(dir).map(name => {
      try {
        return readlinkSync(`${dir}/${name}`);
      } catch {
        return ''; // closed in between
      }
    });
  } catch {
    return []; // another user's, or gone
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1);
  } catch {
    return []; // no IPv6
  }
}
