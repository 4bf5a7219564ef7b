import { once } from 'node:events';
import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';

/** A server that answers byte by byte as a test wants: what no gRPC library would answer. */
export interface RawPeer extends AsyncDisposable {
  /** "127.0.0.1:port". */
  readonly address: string;
}

/** What arrives at a {@link RawPeer}. */
export interface RawStream {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** Bytes that are written here go to the caller between the frames of Node's own. */
  readonly socket: Socket;
}

/** Starts one; `answer` gets each stream, and does what it likes with it and its connection. */
export async function startRawPeer(answer: (arrival: RawStream) => void | Promise<void>): Promise<RawPeer> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)));
    const [inner, outer] = duplexPair(); // Node lets nobody write to the socket of a session
    outer.on('error', () => {});
    socket.once('close', () => outer.destroy());
    const session = performServerHandshake(inner);
    session.on('error', () => {});
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on('error', () => {}); // what it does on purpose
      void answer({ stream, headers, socket });
    });
    socket.pipe(outer).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The types of HTTP/2 frames that tests write themselves. */
export const FRAME = { DATA: 0, HEADERS: 1, RST_STREAM: 3, GOAWAY: 7 } as const;

/** An HTTP/2 frame: RFC 9113, section 4.1. */
export function http2Frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** Numbers of 32 bits, one after the other. */
export function uint32(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [n, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * n);
  return bytes;
}
