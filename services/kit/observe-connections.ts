import type { Http2Server, Http2Session } from 'node:http2';
import { metrics, samplers } from './metrics.ts';

/** The connections of this process's servers, with how many streams are open on each. */
const open = new Map<Http2Session, number>();
samplers.add(() => metrics.server.streamsMax.set(Math.max(0, ...open.values())));

/** Measures the connections of a server and the streams that are open on each. */
export function observeConnections(server: Http2Server): void {
  const { connections, connectionsTotal } = metrics.server;
  server.on('session', session => {
    open.set(session, 0);
    connectionsTotal.inc();
    connections.inc();
    session.once('close', () => {
      open.delete(session);
      connections.dec();
    });
  });
  server.on('stream', stream => {
    const { session } = stream;
    if (!session) return;
    open.set(session, (open.get(session) ?? 0) + 1);
    stream.once('close', () => {
      const count = open.get(session);
      if (count !== undefined) open.set(session, count - 1);
    });
  });
}
