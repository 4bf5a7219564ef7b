import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';
import type { PortName } from './testing-abuse.ts';
import { request } from './testing-bad-calls.ts';
import { flag, headerBlock, http2Frame, preface, type, uint32 } from './testing-frames.ts';

/**
 * The counter that tells of an attack where it ends the connection. Where the connection stays, because it is borne: the counter by
 * which it shows that the attack was there, and by how much it rises at least.
 */
type Outcome = string | { readonly borne: string; readonly least: number };

/** What an attacker does on a connection, and what comes of it at each port. */
export interface Attack {
  readonly title: string;
  /** What is sent on each connection, piece by piece, until the peer has closed it. */
  readonly send: () => Iterable<Buffer>;
  /** 1 unless given. */
  readonly connections?: number;
  /** Whether the attacker reads what comes back; true unless given. */
  readonly reads?: boolean;
  readonly outcome: Readonly<Record<PortName, Outcome>>;
}

/** What a client sends first. */
export const hello = Buffer.concat([preface, http2Frame(type.settings, flag.none, 0)]);

/** The headers of a call of GetUser. */
export const callHeaders = headerBlock({
  ':method': 'POST',
  ':scheme': 'http',
  ':path': Users.getUser.path,
  ':authority': 'users',
  'content-type': 'application/grpc',
  te: 'trailers',
});
/** The headers of a call that its message follows. */
export const open = (stream: number) => http2Frame(type.headers, flag.endHeaders, stream, callHeaders);
/** The message of a call, which ends its request. */
export const message = (stream: number) => http2Frame(type.data, flag.endStream, stream, frame(request));
const onStream = (frameType: number, payload: Uint8Array) => (stream: number) =>
  http2Frame(frameType, flag.none, stream, payload);

/** Frames from a function of their number, many at a time; the first bytes are given. */
function* flood(first: Buffer, count: number, frames: (n: number) => Buffer[], atOnce = 1000): Generator<Buffer> {
  yield first;
  for (let n = 0; n < count; n += atOnce) yield Buffer.concat(Array.from({ length: atOnce }, (_, i) => frames(n + i)).flat());
}

/** Calls, each with a frame after its headers. Clients' streams have odd numbers. */
const calls = (count: number, ...after: ((stream: number) => Buffer)[]) => {
  return () => flood(hello, count, n => [open(2 * n + 1), ...after.map(each => each(2 * n + 1))], 50);
};
/** A frame again and again. */
const again = (count: number, one: Buffer, first = hello) => {
  return () => flood(first, count, () => [one], Math.min(count, 1000));
};
const halfCall = Buffer.concat([hello, http2Frame(type.headers, flag.none, 1, callHeaders)]);

const control = 'http2.outbound_control_flood';
const empty = 'http2.inbound_empty_frames_flood';
const overflow = 'http2.header_overflow';
const premature = 'http.edge.downstream_rq_too_many_premature_resets';
const app = 'telltale_server_connections_closed_total{reason="protocol"}';
/** Counts the connections that were closed because their peer broke the protocol. */
export const broken = {
  edge: 'http.edge.downstream_cx_protocol_error',
  ingress: 'http.ingress.downstream_cx_protocol_error',
  app,
};

const silent = 'http2.keepalive_timeout';
/** An app gives so many connections 40 s, which end-connections.test.ts shows with less; here it has accepted them. */
const silentAtEnvoy = (connections = 1) => ({
  edge: silent,
  ingress: silent,
  app: { borne: 'telltale_server_connections_total', least: connections },
});

/** At most 200,000 frames each. */
export const floods: Attack[] = [
  {
    title: 'rapid reset',
    send: calls(30_000, onStream(type.rstStream, uint32(8))),
    // not at the ingress: a caller's sidecar may bring 500 cancellations a second, and everybody's calls beside them
    outcome: { edge: premature, ingress: { borne: 'http.ingress.downstream_rq_rx_reset', least: 1000 }, app },
  },
  {
    title: 'resets that the server is made to send, by window updates of 0',
    send: calls(10_000, onStream(type.windowUpdate, uint32(0))),
    // the ingress resets each and goes on
    outcome: { edge: premature, ingress: { borne: 'http2.tx_reset', least: 1000 }, app },
  },
  {
    title: 'resets that the server is made to send, by windows that overflow',
    send: calls(30_000, onStream(type.windowUpdate, uint32(0x7fffffff))),
    outcome: broken,
  },
  {
    title: 'headers without end',
    send: again(200_000, http2Frame(type.continuation, 0, 1, headerBlock({ a: 'b' })), halfCall),
    outcome: { edge: overflow, ingress: overflow, app },
  },
  {
    title: 'headers without end, 16 KB at a time',
    send: again(2000, http2Frame(type.continuation, 0, 1, headerBlock({ a: 'b'.repeat(16_000) })), halfCall),
    outcome: broken,
  },
  {
    title: 'empty continuations',
    send: again(200_000, http2Frame(type.continuation, 0, 1), halfCall),
    outcome: { edge: empty, ingress: empty, app },
  },
  {
    title: 'empty data',
    send: again(200_000, http2Frame(type.data, 0, 1), Buffer.concat([hello, open(1)])),
    outcome: { edge: empty, ingress: empty, app },
  },
  {
    title: 'pings',
    send: again(200_000, http2Frame(type.ping, 0, 0, Buffer.alloc(8))),
    outcome: { edge: control, ingress: control, app },
  },
  {
    title: 'pings whose answers are not read',
    send: again(200_000, http2Frame(type.ping, 0, 0, Buffer.alloc(8))),
    reads: false,
    outcome: { edge: control, ingress: control, app },
  },
  {
    title: 'settings',
    send: again(200_000, http2Frame(type.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(65_535)]))),
    outcome: { edge: control, ingress: control, app },
  },
  {
    title: 'priorities',
    send: again(200_000, http2Frame(type.priority, 0, 1, Buffer.concat([uint32(0), Buffer.of(1)]))),
    outcome: { edge: 'http2.inbound_priority_frames_flood', ingress: 'http2.inbound_priority_frames_flood', app },
  },
  {
    title: 'window updates',
    send: again(200_000, http2Frame(type.windowUpdate, 0, 0, uint32(1))),
    // an app's server has nothing to do for them; see "silent" in end-connections.test.ts
    outcome: {
      edge: 'http2.inbound_window_update_frames_flood',
      ingress: 'http2.inbound_window_update_frames_flood',
      app: { borne: 'telltale_server_connections_total', least: 1 },
    },
  },
];

/** Floods of what Envoys need not answer; they notice that pings are not answered. */
export const ignored: Attack[] = [
  {
    title: 'frames of a type that does not exist',
    send: again(100_000, http2Frame(type.unknown, 0, 0)),
    outcome: { ...silentAtEnvoy(), app },
  },
  {
    title: '30,000 calls at once, which the limit on streams refuses',
    send: calls(30_000),
    outcome: { ...silentAtEnvoy(), app },
  },
];

const handshake = 'telltale_server_connections_closed_total{reason="handshake"}';

/** What begins and does not go on. An app notices silence after 40 s, which end-connections.test.ts does not wait for. */
export const silences: Attack[] = [
  {
    title: 'connections that say nothing',
    connections: 100,
    send: () => [],
    // not at the ingress: who gets as far has shown an identity of the mesh, and its Envoy may connect before there is a call;
    // who shows none is ended: see "says nothing" in abuse-frames.test.ts
    outcome: {
      edge: 'listener.edge.downstream_pre_cx_timeout',
      ingress: { borne: 'listener.ingress.ssl.handshake', least: 100 },
      app: handshake,
    },
  },
  {
    title: 'half of the first bytes',
    connections: 100,
    send: () => [preface.subarray(0, 10)],
    outcome: {
      edge: 'http.edge.downstream_rq_header_timeout',
      ingress: 'http.ingress.downstream_rq_header_timeout',
      app: handshake,
    },
  },
  { title: 'connections without a call', connections: 100, send: () => [hello], outcome: silentAtEnvoy(100) },
  { title: 'half of the headers of a call', connections: 100, send: () => [halfCall], outcome: silentAtEnvoy(100) },
  { title: 'half a frame', connections: 100, send: () => [halfCall.subarray(0, -20)], outcome: silentAtEnvoy(100) },
  { title: '100 calls whose bodies do not end', send: calls(100), outcome: silentAtEnvoy() },
  { title: 'answers that are not read', connections: 3, reads: false, send: calls(100, message), outcome: silentAtEnvoy(3) },
];
