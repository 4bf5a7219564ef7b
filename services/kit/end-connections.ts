import type { Http2Server, ServerHttp2Session } from 'node:http2';
import { metrics } from './metrics.ts';

/** How long the peer of a connection may take, in milliseconds. */
export interface Patience {
  /** From the connection to the peer's SETTINGS, the first frame of HTTP/2. */
  readonly handshakeMs: number;
  /** Between two pings. */
  readonly pingEveryMs: number;
  /** For the answer to one. */
  readonly pingTimeoutMs: number;
}

/** As the Envoys have it: see edge.yaml. */
const PATIENCE: Patience = { handshakeMs: 5000, pingEveryMs: 30_000, pingTimeoutMs: 10_000 };

/**
 * Ends the connections that hold memory for nobody. grpc-js keeps each until its peer closes it: one that never speaks HTTP/2, one
 * that stops in the middle of a frame, of its headers or of reading. A peer that is there answers a ping; RFC 9113, section 6.7.
 *
 * Counts what it ends, and what Node ends for a peer that breaks the protocol or floods it: telltale_server_connections_closed_total.
 */
export function endConnections(server: Http2Server, patience: Patience = PATIENCE): void {
  server.on('session', session => endWhenSilent(session, patience));
}

function endWhenSilent(session: ServerHttp2Session, { handshakeMs, pingEveryMs, pingTimeoutMs }: Patience): void {
  let timer: NodeJS.Timeout;
  let counted = false;
  const count = (reason: string) => {
    if (!counted) metrics.server.connectionsClosed.inc({ reason });
    counted = true;
  };
  const end = (reason: string) => {
    count(reason);
    session.destroy();
  };
  const wait = (ms: number, then: () => void) => {
    clearTimeout(timer);
    timer = setTimeout(then, ms).unref();
  };
  const pingLater = () =>
    wait(pingEveryMs, () => {
      wait(pingTimeoutMs, () => end('silent'));
      session.ping(error => {
        if (!error) pingLater();
      });
    });
  wait(handshakeMs, () => end('handshake'));
  session.once('remoteSettings', pingLater);
  session.once('error', () => count('protocol'));
  session.once('close', () => clearTimeout(timer));
}
