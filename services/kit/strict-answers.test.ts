import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http2';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { Status as RpcStatus } from '../../proto/gen/google/rpc/status.ts';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { createClient } from './client.ts';
import { deadlineIn } from './deadline.ts';
import { RpcError } from './rpc-error.ts';
import { readStrictly } from './strict-answers.ts';
import { growthOf } from './testing-metrics.ts';
import { frame } from './testing-raw-call.ts';
import { FRAME, http2Frame, type RawStream, startRawPeer, uint32 } from './testing-raw-peer.ts';

const { OK, CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, NOT_FOUND, PERMISSION_DENIED } = status;
const { RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED } = status;

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };
const EMPTY = frame(Buffer.alloc(0));
/** The beginning of a message. */
const CUT = Buffer.alloc(3);

/** What a peer does with a call; `ms` is what is left of its deadline. */
type Peer = (arrival: RawStream, ms: number) => void | Promise<void>;

/** Answers headers, then bytes, then trailers, as far as they are given. */
function answers(headers: OutgoingHttpHeaders, body?: Buffer, trailers?: OutgoingHttpHeaders): Peer {
  return ({ stream }) => {
    stream.respond({ ...GRPC, ...headers }, { waitForTrailers: trailers !== undefined });
    if (trailers) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(body);
  };
}

const says = (trailers: OutgoingHttpHeaders): Peer => answers({}, EMPTY, trailers);
const says0 = (body: Buffer, headers: OutgoingHttpHeaders = {}): Peer => answers(headers, body, { 'grpc-status': '0' });
const only =
  (headers: OutgoingHttpHeaders): Peer =>
  ({ stream }) =>
    stream.respond({ ...GRPC, ...headers }, { endStream: true });

/** Does one thing after the other, each when the one before has left. */
function then(...steps: Peer[]): Peer {
  return async (arrival, ms) => {
    for (const step of steps) {
      await step(arrival, ms);
      await new Promise(setImmediate);
    }
  };
}

const headersSent: Peer = ({ stream }) => stream.respond(GRPC);
const writes =
  (body: Buffer): Peer =>
  ({ stream }) =>
    new Promise(resolve => stream.write(body, () => resolve()));

/** Sends frames of its own. */
const frames =
  (make: (streamId: number) => Buffer): Peer =>
  ({ stream, socket }) => {
    socket.write(make(stream.id ?? 1));
  };
const resets = (code: number): Peer => frames(id => http2Frame(FRAME.RST_STREAM, 0, id, uint32(code)));
const goesAway = (code: number): Peer => frames(() => http2Frame(FRAME.GOAWAY, 0, 0, uint32(0, code)));
const drops: Peer = ({ socket }) => {
  socket.destroySoon();
};
const END_STREAM = 1;
const END_HEADERS = 4;
/** A header by HPACK as a literal without a name from the tables: RFC 7541, section 6.2.2. */
const header = (name: string, value: string) =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
const trailersOf = (code: string, flags = END_STREAM | END_HEADERS): Peer =>
  frames(id => http2Frame(FRAME.HEADERS, flags, id, header('grpc-status', code)));

const details = (value: Buffer) => ({
  'grpc-status': '5',
  'grpc-status-details-bin': value.toString('base64').replace(/=+$/, ''),
});
const detail = (type: string, value: Buffer) =>
  details(
    Buffer.from(
      RpcStatus.encode({
        code: 5,
        message: '',
        details: [{ typeUrl: `type.googleapis.com/google.rpc.${type}`, value }],
      }).finish(),
    ),
  );
const GARBAGE = Buffer.from([0x0f, 0xff, 0xff]);

/**
 * What a peer can send, and the status that the call has. Where a method with one answer and one with many differ, the second is
 * that of the latter. By gRPC's own documents: PROTOCOL-HTTP2.md, compression.md, statuscodes.md, http-grpc-status-mapping.md.
 */
const rows: Record<string, [peer: Peer, code: status, streaming?: status]> = {
  'an empty message and OK': [says0(EMPTY), OK],
  'informational headers first': [then(({ stream }) => stream.additionalHeaders({ ':status': 103 }), says0(EMPTY)), OK],
  'a message by gzip': [says0(frame(gzipSync(''), 1), { 'grpc-encoding': 'gzip' }), OK],
  'a plain message with an encoding': [says0(EMPTY, { 'grpc-encoding': 'gzip' }), OK],
  'a content type with a format': [says0(EMPTY, { 'content-type': 'application/grpc+proto; v=1' }), OK],
  'a message in three frames': [
    then(headersSent, writes(EMPTY.subarray(0, 1)), writes(EMPTY.subarray(1, 3)), writes(EMPTY.subarray(3)), trailersOf('0')),
    OK,
  ],

  'a compressed flag without an encoding': [says0(frame(gzipSync(''), 1)), INTERNAL],
  'a compressed flag with the encoding identity': [says0(frame(gzipSync(''), 1), { 'grpc-encoding': 'identity' }), INTERNAL],
  'a flag of 2': [says0(frame(Buffer.alloc(0), 2)), INTERNAL],
  'a flag of 255': [says0(frame(Buffer.alloc(0), 255), { 'grpc-encoding': 'gzip' }), INTERNAL],
  'an encoding that nobody reads': [says0(frame(gzipSync(''), 1), { 'grpc-encoding': 'br' }), INTERNAL],
  'an encoding that nobody reads with a plain message': [says0(EMPTY, { 'grpc-encoding': 'br' }), INTERNAL],
  'two encodings': [says0(EMPTY, { 'grpc-encoding': 'gzip, br' }), INTERNAL],
  'gzip that is none': [says0(frame(GARBAGE, 1), { 'grpc-encoding': 'gzip' }), INTERNAL],
  'gzip that ends too early': [says0(frame(gzipSync('message').subarray(0, 15), 1), { 'grpc-encoding': 'gzip' }), INTERNAL],
  'gzip of more than 4 MiB': [says0(frame(gzipSync(Buffer.alloc(5e6)), 1), { 'grpc-encoding': 'gzip' }), RESOURCE_EXHAUSTED],

  'a message that announces 4 GiB': [says0(Buffer.from([0, 255, 255, 255, 255])), RESOURCE_EXHAUSTED],
  'bytes that are no message': [says0(frame(GARBAGE)), INTERNAL],
  'a message cut short and OK': [says0(frame(Buffer.alloc(9)).subarray(0, 10)), INTERNAL],
  'a length cut short and OK': [says0(EMPTY.subarray(0, 3)), INTERNAL],
  'a message, two bytes more and OK': [says0(Buffer.concat([EMPTY, Buffer.alloc(2)])), INTERNAL],
  'a message cut short and NOT_FOUND': [answers({}, frame(Buffer.alloc(9)).subarray(0, 10), { 'grpc-status': '5' }), NOT_FOUND],
  'a message cut short and no trailers': [answers({}, frame(Buffer.alloc(9)).subarray(0, 10)), INTERNAL],
  'no message and OK': [says0(Buffer.alloc(0)), UNIMPLEMENTED, OK],
  'OK alone': [only({ 'grpc-status': '0' }), UNIMPLEMENTED, OK],
  'two messages and OK': [says0(Buffer.concat([EMPTY, EMPTY])), UNIMPLEMENTED, OK],
  'three messages and OK': [says0(Buffer.concat([EMPTY, EMPTY, EMPTY])), UNIMPLEMENTED, OK],
  'two messages and NOT_FOUND': [answers({}, Buffer.concat([EMPTY, EMPTY]), { 'grpc-status': '5' }), UNIMPLEMENTED, NOT_FOUND],

  'no trailers': [answers({}, EMPTY), INTERNAL],
  'trailers without a status': [says({ 'x-a': 'b' }), UNKNOWN],
  'headers alone without a status': [only({}), UNKNOWN],
  'a status of 17': [says({ 'grpc-status': '17' }), UNKNOWN],
  'a status of 99': [says({ 'grpc-status': '99' }), UNKNOWN],
  'a status of 4294967296': [says({ 'grpc-status': '4294967296' }), UNKNOWN],
  'a status of -1': [says({ 'grpc-status': '-1' }), UNKNOWN],
  'a status of 0.5': [says({ 'grpc-status': '0.5' }), UNKNOWN],
  'a status of 0x0': [says({ 'grpc-status': '0x0' }), UNKNOWN],
  'a status of 1e0': [says({ 'grpc-status': '1e0' }), UNKNOWN],
  'a status of nothing': [says({ 'grpc-status': '' }), UNKNOWN],
  'a status of OK, spelled': [says({ 'grpc-status': 'OK' }), UNKNOWN],
  'two statuses': [says({ 'grpc-status': ['0', '5'] }), UNKNOWN],
  'a status of 99 in headers alone': [only({ 'grpc-status': '99' }), UNKNOWN],
  'no status but a number that is none in headers alone': [only({ 'grpc-status': 'x' }), UNKNOWN],

  'HTTP 400': [answers({ ':status': 400 }), INTERNAL],
  'HTTP 401': [answers({ ':status': 401 }), UNAUTHENTICATED],
  'HTTP 403': [answers({ ':status': 403 }), PERMISSION_DENIED],
  'HTTP 404': [answers({ ':status': 404 }), UNIMPLEMENTED],
  'HTTP 429': [answers({ ':status': 429 }), UNAVAILABLE],
  'HTTP 502': [answers({ ':status': 502 }), UNAVAILABLE],
  'HTTP 503': [answers({ ':status': 503 }), UNAVAILABLE],
  'HTTP 504': [answers({ ':status': 504 }), UNAVAILABLE],
  'HTTP 500': [answers({ ':status': 500 }), UNKNOWN],
  'HTTP 204': [only({ ':status': 204 }), UNKNOWN],
  'HTTP 302': [only({ ':status': 302, location: '/' }), UNKNOWN],
  'HTTP 503 with a page': [
    answers({ ':status': 503, 'content-type': 'text/html' }, Buffer.from('<html>no</html>')),
    UNAVAILABLE,
  ],
  'HTTP 503 with a page that looks like a message': [
    answers({ ':status': 503, 'content-type': 'text/plain' }, Buffer.concat([Buffer.from('x\0\0\0\x03'), Buffer.from('abc')])),
    UNAVAILABLE,
  ],
  'HTTP 503 with a status': [only({ ':status': 503, 'grpc-status': '5' }), NOT_FOUND],
  'HTTP 503 with a status in trailers': [answers({ ':status': 503 }, undefined, { 'grpc-status': '5' }), NOT_FOUND],
  'HTTP 200 with a page': [answers({ 'content-type': 'text/html' }, Buffer.from('<html>yes</html>')), UNKNOWN],
  'HTTP 200 with JSON': [answers({ 'content-type': 'application/json' }, Buffer.from('{}')), UNKNOWN],
  'another content type with a message and OK': [says0(EMPTY, { 'content-type': 'text/plain' }), UNKNOWN],
  'a content type that begins alike': [says0(EMPTY, { 'content-type': 'application/grpcweb' }), UNKNOWN],
  'another content type with a status, in headers alone': [
    only({ 'content-type': 'text/plain', 'grpc-status': '5' }),
    NOT_FOUND,
  ],

  'a grpc-message that is no percent-encoding': [says({ 'grpc-status': '5', 'grpc-message': '100%, %zz %e0' }), NOT_FOUND],
  'details that are no base64': [says({ 'grpc-status': '5', 'grpc-status-details-bin': '!!*' }), NOT_FOUND],
  'details that are no Status': [says(details(GARBAGE)), NOT_FOUND],
  'details that hold no ErrorInfo': [says(detail('ErrorInfo', GARBAGE)), NOT_FOUND],
  'details that hold no BadRequest': [says(detail('BadRequest', GARBAGE)), NOT_FOUND],
  'details that hold no RetryInfo': [says(detail('RetryInfo', GARBAGE)), NOT_FOUND],

  'a reset with CANCEL before any headers': [resets(8), CANCELLED],
  'a reset with REFUSED_STREAM before any headers': [resets(7), UNAVAILABLE],
  'a reset with CANCEL after a message': [then(headersSent, writes(EMPTY), resets(8)), CANCELLED],
  'a reset with CANCEL within a message': [then(headersSent, writes(CUT), resets(8)), CANCELLED],
  'a reset with INTERNAL_ERROR within a message': [then(headersSent, writes(CUT), resets(2)), INTERNAL],
  'a reset with NO_ERROR after OK': [then(headersSent, writes(EMPTY), trailersOf('0'), resets(0)), OK],
  'a reset with CANCEL after OK': [then(headersSent, writes(EMPTY), trailersOf('0'), resets(8)), OK],
  'headers twice': [then(headersSent, trailersOf('5', END_HEADERS), trailersOf('0')), INTERNAL],

  'a connection that closes before any headers': [drops, UNAVAILABLE],
  'a connection that closes after the headers': [then(headersSent, drops), UNAVAILABLE],
  'a connection that closes within a message': [then(headersSent, writes(CUT), drops), UNAVAILABLE],
  'a connection that closes after a message': [then(headersSent, writes(EMPTY), drops), UNAVAILABLE],
  'bytes that are no frame': [
    then(
      headersSent,
      frames(() => Buffer.alloc(64, 0xff)),
    ),
    INTERNAL,
  ],
  'GOAWAY with NO_ERROR, and the connection closes': [then(headersSent, goesAway(0), drops), UNAVAILABLE],
  'GOAWAY with INTERNAL_ERROR, and the connection closes': [then(headersSent, goesAway(2), drops), UNAVAILABLE],
  'GOAWAY with ENHANCE_YOUR_CALM, and the connection closes': [then(headersSent, goesAway(11), drops), UNAVAILABLE],
  'GOAWAY with PROTOCOL_ERROR after a message': [then(headersSent, writes(EMPTY), goesAway(1)), UNAVAILABLE],
  'GOAWAY that lets the call end': [
    then(
      frames(id => http2Frame(FRAME.GOAWAY, 0, 0, uint32(id, 0))),
      says0(EMPTY),
    ),
    OK,
  ],
};

for (const [name, code, expected] of [
  ['NO_ERROR', 0, INTERNAL],
  ['PROTOCOL_ERROR', 1, INTERNAL],
  ['INTERNAL_ERROR', 2, INTERNAL],
  ['FLOW_CONTROL_ERROR', 3, INTERNAL],
  ['SETTINGS_TIMEOUT', 4, INTERNAL],
  ['STREAM_CLOSED', 5, INTERNAL],
  ['FRAME_SIZE_ERROR', 6, INTERNAL],
  ['REFUSED_STREAM', 7, UNAVAILABLE],
  ['CANCEL', 8, CANCELLED],
  ['COMPRESSION_ERROR', 9, INTERNAL],
  ['CONNECT_ERROR', 10, INTERNAL],
  ['ENHANCE_YOUR_CALM', 11, RESOURCE_EXHAUSTED],
  ['INADEQUATE_SECURITY', 12, PERMISSION_DENIED],
  ['HTTP_1_1_REQUIRED', 13, INTERNAL],
  ['a code that nobody knows', 99, INTERNAL],
] as const) {
  rows[`a reset with ${name}`] = [then(headersSent, resets(code)), expected];
}

/** Resets that come about when the deadline does: where a peer's own timer fires first, this is all that a caller hears. */
const late: Record<string, [peer: Peer, code: status]> = {
  'a reset with CANCEL 10 ms before the deadline': [then(untilLeft(10), resets(8)), DEADLINE_EXCEEDED],
  'a reset with INTERNAL_ERROR 10 ms before the deadline': [then(untilLeft(10), resets(2)), DEADLINE_EXCEEDED],
  'a reset with CANCEL 10 ms before the deadline, within a message': [
    then(headersSent, writes(CUT), untilLeft(10), resets(8)),
    DEADLINE_EXCEEDED,
  ],
  'a reset with ENHANCE_YOUR_CALM 10 ms before the deadline': [then(untilLeft(10), resets(11)), RESOURCE_EXHAUSTED],
  'a status of CANCELLED 10 ms before the deadline': [then(untilLeft(10), only({ 'grpc-status': '1' })), CANCELLED],
  'a reset with CANCEL long before the deadline': [then(untilLeft(250), resets(8)), CANCELLED],
  'nothing until the deadline': [() => {}, DEADLINE_EXCEEDED],
  'headers alone until the deadline': [headersSent, DEADLINE_EXCEEDED],
};

/** Waits until about so much of the deadline is left, in milliseconds. */
function untilLeft(leftMs: number): Peer {
  return (_arrival, ms) => wait(ms - leftMs);
}

const ORDER = { orderId: 'o-1' };

/** One call of each kind, by the name of its method. */
const calls = {
  GetOrder: (client: ReturnType<typeof clientOf>, ms: number) => client.getOrder(ORDER, { deadline: deadlineIn(ms) }),
  ImportOrders: (client: ReturnType<typeof clientOf>, ms: number) => client.importOrders([], { deadline: deadlineIn(ms) }),
  ListOrders: (client: ReturnType<typeof clientOf>, ms: number) =>
    Array.fromAsync(client.listOrders({ userId: 1, limit: 1 }, { deadline: deadlineIn(ms) })),
  LookupOrders: (client: ReturnType<typeof clientOf>, ms: number) =>
    Array.fromAsync(client.lookupOrders([ORDER], { deadline: deadlineIn(ms) })),
};

function clientOf(address: string) {
  return createClient(Orders, { address, ownConnection: true });
}

/** Makes a call; returns how it ended, and makes sure that it counts as just that. */
async function codeOf(peer: Peer, method: keyof typeof calls, ms: number): Promise<RpcError | undefined> {
  await using raw = await startRawPeer(arrival => peer(arrival, Number.parseInt(String(arrival.headers['grpc-timeout']), 10)));
  using client = clientOf(raw.address);
  let thrown: unknown;
  const counted = Object.keys(status).filter(name => Number.isNaN(Number(name))) as (keyof typeof status)[];
  const labels = `grpc_method="telltale.orders.v1.OrderService/${method}",grpc_target="orders"`;
  const series = [...counted, 'undefined'].map(
    code => `grpc_client_call_duration_seconds_count{${labels},grpc_status="${code}"}`,
  );
  const growth = await growthOf(series, () =>
    calls[method](client, ms).then(
      () => {},
      error => {
        thrown = error;
      },
    ),
  );
  if (thrown !== undefined) {
    assert.ok(thrown instanceof RpcError, String(thrown));
    assert.ok(Number.isInteger(thrown.code) && thrown.code >= 1 && thrown.code <= 16, `code ${thrown.code}`);
  }
  const code = thrown instanceof RpcError ? thrown.code : OK;
  assert.deepEqual(growth, [...counted.map(name => Number(status[name] === code)), 0], `${status[code]} is what was counted`);
  return thrown instanceof RpcError ? thrown : undefined;
}

describe('a call', () => {
  for (const method of Object.keys(calls) as (keyof typeof calls)[]) {
    const isStreaming = method === 'ListOrders' || method === 'LookupOrders';
    for (const [what, [peer, code, streaming = code]] of Object.entries(rows)) {
      const expected = isStreaming ? streaming : code;
      it(`of ${method} that is answered with ${what} ends with ${status[expected]}`, async () => {
        const error = await codeOf(peer, method, 4000);
        assert.equal(status[error?.code ?? OK], status[expected], `${error?.message}`);
      });
    }
    for (const [what, [peer, code]] of Object.entries(late)) {
      it(`of ${method} that gets ${what} ends with ${status[code]}`, async () => {
        const isOwnTimer = (error: RpcError | undefined) => error?.message.startsWith('Deadline exceeded after') ?? false;
        let error = await codeOf(peer, method, 300);
        // on a busy machine the caller's timer can be the first
        for (let turn = 0; turn < 10 && isOwnTimer(error) && !what.endsWith('until the deadline'); turn++) {
          error = await codeOf(peer, method, 300);
        }
        assert.equal(status[error?.code ?? OK], status[code], `${error?.message}`);
        assert.equal(isOwnTimer(error), what.endsWith('until the deadline'), `${error?.message}`);
      });
    }
  }

  for (const [sent, text] of [
    ['caf%C3%A9 %E2%82%AC', 'café €'],
    ['a%2Fb%3Fc%23d%2Ce', 'a/b?c#d,e'],
    ['100%25 of %252F', '100% of %2F'],
    ['100%, %zz', '100%, %zz'],
    ['%ff', '\ufffd'],
    ['%ED%A0%80', '\ufffd\ufffd\ufffd'],
  ] as const) {
    it(`says "${text}" when the peer sends the message ${sent}`, async () => {
      const error = await codeOf(says({ 'grpc-status': '5', 'grpc-message': sent }), 'GetOrder', 4000);
      assert.equal(error?.message, text);
    });
  }

  it('is made by no grpc-js that reads answers elsewhere', () => {
    assert.throws(() => readStrictly({ Http2SubchannelCall: class {} }), /adapt strict-answers\.ts/);
  });
});
