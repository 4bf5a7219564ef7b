import { createServer, type Server } from 'node:net';

/**
 * Takes a name that one process of this machine can have at a time; undefined when another has it. It is an abstract Unix socket
 * (unix(7)): the kernel gives it to one process and takes it back when that process dies.
 */
export function takeLock(name: string): Promise<Server | undefined> {
  const server = createServer(socket => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(`\0telltale-${name}`, () => resolve(server.unref()));
  });
}
