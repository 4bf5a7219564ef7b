import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

/** Frame types of RFC 9113, section 6. */
export const type = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
  /** A type that no specification defines: who does not know it must ignore it. */
  unknown: 0xbb,
} as const;

/** Flags of the same section; END_STREAM and ACK are the same bit. */
export const flag = { none: 0, endStream: 1, ack: 1, endHeaders: 4 } as const;

/** What a client sends first on a connection; a SETTINGS frame follows. */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** A frame, byte by byte as given: nothing checks that it is allowed. */
export function http2Frame(frameType: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(frameType, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** A whole number of 32 bits, as most payloads are. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Headers as HPACK literals that are never indexed (RFC 7541, section 6.2.3): the block does not depend on what went before. */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(Object.entries(headers).flatMap(([name, value]) => [Buffer.of(0x10), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = [Math.min(bytes.length, 127)];
  if (bytes.length >= 127) {
    let rest = bytes.length - 127;
    for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** A connection on which frames are written as they are. */
export interface RawConnection extends Disposable {
  /** Writes, and waits while the peer takes no more; resolves to false when the connection has ended. */
  write(bytes: Uint8Array): Promise<boolean>;
  /**
   * Asks by a ping whether the peer has read all frames: resolves when it has answered, or has said GOAWAY and closed the connection
   * at once when this side ends it, too, or after so many milliseconds from when all was sent, as when it waits for the rest of a frame.
   */
  settled(silenceMs: number): Promise<void>;
  /** Resolves when the peer has closed the connection. */
  readonly closed: Promise<void>;
  /** Whether it has. */
  isClosed(): boolean;
  /** The error code of the peer's GOAWAY; undefined when there was none. */
  goawayCode(): number | undefined;
  /** Reads on, when the connection was made not to. */
  read(): void;
}

/**
 * Makes a connection on which frames are written as they are.
 *
 * @param open gives the socket: plain, or with TLS
 * @param reads whether what the peer sends is taken from the socket at all; `read` begins it later
 */
export function rawConnection(open: () => Duplex, reads = true): RawConnection {
  const socket = open();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let ended = false;
  const end = () => {
    ended = true;
    resolve();
  };
  // an error is how a closed connection shows when it is written to
  socket.once('end', end).once('close', end).on('error', end);
  let goaway: number | undefined;
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const { promise: dismissed, resolve: dismiss } = Promise.withResolvers<void>();
  const read = () => {
    socket.on(
      'data',
      frameReader((frameType, payload) => {
        if (frameType === type.goaway) {
          goaway = payload.readUInt32BE(4);
          dismiss();
        }
        if (frameType === type.ping && payload.equals(QUESTION)) answer();
      }),
    );
  };
  if (reads) read();
  return {
    closed,
    read,
    isClosed: () => ended,
    goawayCode: () => goaway,
    async write(bytes) {
      if (ended || socket.destroyed) return false;
      if (socket.write(bytes)) return true;
      const { promise, resolve: go } = Promise.withResolvers<void>();
      socket.once('drain', go);
      await Promise.race([promise, closed]);
      socket.off('drain', go);
      return !ended;
    },
    async settled(silenceMs) {
      const { promise: sent, resolve: go } = Promise.withResolvers<void>();
      if (!ended) socket.write(http2Frame(type.ping, flag.none, 0, QUESTION), () => go());
      await Promise.race([sent, closed]);
      const over = new AbortController();
      const silence = wait(silenceMs, undefined, { signal: over.signal }).catch(() => {});
      await Promise.race([answered, dismissed, closed, silence]);
      if (goaway !== undefined && !ended) {
        socket.end(); // Envoy waits a second for this, so that who does not know yet can read its GOAWAY
        await Promise.race([closed, silence]);
      }
      over.abort();
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** What a ping says that asks whether all was read; a peer's own pings say something else. */
const QUESTION = Buffer.from('all read');

/** Takes bytes as they come and gives each whole frame. */
function frameReader(onFrame: (frameType: number, payload: Buffer) => void): (chunk: Buffer) => void {
  let buffered = Buffer.alloc(0);
  return chunk => {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= 9) {
      const length = buffered.readUIntBE(0, 3);
      if (buffered.length < 9 + length) return;
      onFrame(buffered.readUInt8(3), buffered.subarray(9, 9 + length));
      buffered = buffered.subarray(9 + length);
    }
  };
}
