import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { commandOf } from './process-identity.ts';

/** Who listens on a port: `pid 123 (node server.js)`, or why that cannot be said; undefined when nobody listens. */
export function portHolder(address: string, port: number): string | undefined {
  const inode = listeners(port).find(({ local }) => local === address || local === '0.0.0.0')?.inode;
  if (inode === undefined) return undefined;
  for (const pid of pids()) {
    if (descriptors(pid).includes(`socket:[${inode}]`)) return `pid ${pid} (${commandOf(Number(pid)) ?? 'unknown command'})`;
  }
  return 'a process of another user (this user may not see which)';
}

/** Why this process could not listen on `address:port` now, by the code of the error; undefined when it could. */
export function listenError(address: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** The third numbers of the addresses 127.0.n.x on which somebody listens. */
export function listeningNets(): Set<number> {
  const nets = listeners().map(({ local }) => /^127\.0\.(\d+)\./.exec(local)?.[1]);
  return new Set(nets.flatMap(net => (net === undefined ? [] : [Number(net)])));
}

/** The listening sockets, of a port or all, from /proc/net/tcp and tcp6 (proc_net_tcp(5): addresses in host byte order, state 0A is LISTEN). */
function listeners(port?: number): { local: string; inode: string }[] {
  const hex = port?.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(file => {
    const rows = readLines(file).map(line => line.trim().split(/\s+/));
    return rows.flatMap(([, local = '', , state, , , , , , inode = '']) => {
      const [address = '', localPort] = local.split(':');
      return state === '0A' && localPort === (hex ?? localPort) ? [{ local: readAddress(address), inode }] : [];
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

function pids(): string[] {
  try {
    return readdirSync('/proc').filter(name => /^\d+$/.test(name));
  } catch {
    return []; // no /proc
  }
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
