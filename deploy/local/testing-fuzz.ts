import type { ClientHttp2Session } from 'node:http2';
import { connect as connectHttp2 } from 'node:http2';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';
import { callHeaders } from './testing-attacks.ts';
import { request } from './testing-bad-calls.ts';
import { flag, http2Frame, preface, rawConnection, type, uint32 } from './testing-frames.ts';
import { sendHttp } from './testing-http.ts';

/** Whole numbers below a limit, the same for the same seed (xorshift32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed | 0 || 1;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** The bytes with one to four changes: a bit, a byte, a piece that is missing, doubled or moved to the end. */
export function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  let changed = Buffer.from(bytes);
  for (let left = 1 + random(4); left > 0 && changed.length > 0; left--) {
    const at = random(changed.length);
    const piece = changed.subarray(at, at + 1 + random(8));
    const [before, after] = [changed.subarray(0, at), changed.subarray(at + piece.length)];
    const kinds = [
      () => Buffer.concat([before, Buffer.of((piece[0] ?? 0) ^ (1 << random(8))), changed.subarray(at + 1)]),
      () => Buffer.concat([before, Buffer.of([0, 1, 0x7f, 0x80, 0xff][random(5)] ?? 0), changed.subarray(at + 1)]),
      () => Buffer.concat([before, after]),
      () => Buffer.concat([before, piece, piece, after]),
      () => Buffer.concat([before, after, piece]),
    ];
    changed = Buffer.from(kinds[random(kinds.length)]?.() ?? changed);
  }
  return changed;
}

const hello = Buffer.concat([preface, http2Frame(type.settings, flag.none, 0)]);
/** Frames that are right, of every type. */
const frames = [
  http2Frame(type.headers, flag.endHeaders, 1, callHeaders),
  http2Frame(type.headers, flag.endHeaders | flag.endStream, 3, callHeaders),
  http2Frame(type.headers, flag.none, 5, callHeaders),
  http2Frame(type.continuation, flag.endHeaders, 5),
  http2Frame(type.data, flag.endStream, 1, frame(request)),
  http2Frame(type.data, flag.none, 1, frame(request)),
  http2Frame(type.priority, flag.none, 1, Buffer.concat([uint32(3), Buffer.of(16)])),
  http2Frame(type.rstStream, flag.none, 1, uint32(8)),
  http2Frame(type.settings, flag.none, 0, Buffer.concat([Buffer.of(0, 4), uint32(65_535)])),
  http2Frame(type.settings, flag.ack, 0),
  http2Frame(type.pushPromise, flag.endHeaders, 1, uint32(2)),
  http2Frame(type.ping, flag.none, 0, Buffer.alloc(8)),
  http2Frame(type.goaway, flag.none, 0, Buffer.concat([uint32(0), uint32(0)])),
  http2Frame(type.windowUpdate, flag.none, 1, uint32(1000)),
  http2Frame(type.unknown, flag.none, 1, Buffer.alloc(8)),
];

/** How many frames are sent on a connection before the next is made: the first wrong one ends most. */
const FRAMES_EACH = 5;

/** How long a peer may wait for the rest of a frame whose length was changed, in milliseconds, before it is left alone. */
const SILENCE_MS = 1000;

/**
 * Sends so many mutated frames, over connections of their own for each few, and waits until the peer has read them.
 *
 * @returns how many connections there were, and how many of them the peer has closed
 */
export async function fuzzFrames(
  open: () => Duplex,
  count: number,
  seed: number,
): Promise<{ connections: number; closed: number }> {
  const random = randomFrom(seed);
  let left = count;
  const done = { connections: 0, closed: 0 };
  const worker = async () => {
    while (left > 0) {
      left -= FRAMES_EACH;
      using connection = rawConnection(open);
      const sent = Array.from({ length: FRAMES_EACH }, (_, n) => {
        const right = frames[n === 0 ? random(3) : random(frames.length)] ?? hello;
        return mutate(right, random);
      });
      await connection.write(Buffer.concat([hello, ...sent]));
      await connection.settled(SILENCE_MS);
      done.connections++;
      if (connection.isClosed()) done.closed++;
    }
  };
  await Promise.all(Array.from({ length: 40 }, worker));
  return done;
}

/** Ends with statuses, by "HTTP status/gRPC status"; `reset` where a stream was reset, `lost` where there was no answer. */
export type Statuses = Map<string, number>;

/** Calls GetUser with so many mutated bodies, some of them compressed, over one connection as long as it lasts. */
export async function fuzzBodies(open: () => Duplex, count: number, seed: number): Promise<Statuses> {
  const random = randomFrom(seed);
  const statuses: Statuses = new Map();
  const plain = frame(request);
  const zipped = frame(gzipSync(request), 1);
  let session: ClientHttp2Session | undefined;
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      if (!session || session.destroyed || session.closed)
        session = connectHttp2('http://users', { createConnection: open }).on('error', () => {});
      const zip = random(2) === 0;
      const headers = zip ? { 'grpc-encoding': 'gzip' } : {};
      const ended = await send(session, headers, mutate(zip ? zipped : plain, random));
      statuses.set(ended, (statuses.get(ended) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  session?.destroy();
  return statuses;
}

async function send(session: ClientHttp2Session, headers: Record<string, string>, body: Uint8Array): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const received: Record<string, unknown> = {};
  const stream = session.request({
    ':method': 'POST',
    ':path': Users.getUser.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('response', part => Object.assign(received, part)).on('trailers', part => Object.assign(received, part));
  stream.on('error', () => {}).resume();
  stream.once('close', () => {
    const grpc = received['grpc-status'];
    resolve(received[':status'] ? `${received[':status']}/${grpc ?? 'reset'}` : stream.rstCode ? 'reset' : 'lost');
  });
  stream.setTimeout(5000, () => stream.close());
  stream.end(body);
  return promise;
}

/** Places so many orders with mutated bodies, by JSON; each answer must be JSON. Ends with "JSON" and the HTTP status. */
export async function fuzzJson(address: string, count: number, seed: number): Promise<Statuses> {
  const random = randomFrom(seed);
  const lines = [{ sku: 'sail', quantity: 2, unit_price_minor: '12900' }];
  const order = Buffer.from(JSON.stringify({ order_id: 'o-1', user_id: 123, currency_code: 'EUR', lines }));
  const statuses: Statuses = new Map();
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const headers = { 'content-type': 'application/json' };
      const answer = await sendHttp(address, { method: 'POST', path: '/api/orders', headers, body: mutate(order, random) });
      answer.json();
      const ended = `JSON ${answer.status}`;
      statuses.set(ended, (statuses.get(ended) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  return statuses;
}
