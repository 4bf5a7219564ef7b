import type { Http2Server, IncomingHttpHeaders, ServerOptions } from 'node:http2';
import type { Server, ServerCredentials, ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import { MAX_TIMEOUT_MS, parseGrpcTimeout } from './deadline.ts';
import { endConnections } from './end-connections.ts';
import { SCRIPT_KEY } from './experiment.ts';
import { checkMetadata, READABLE_METADATA } from './metadata-limit.ts';
import { observeConnections } from './observe-connections.ts';

/** What grpc-js cannot read as a time-out. */
const MALFORMED = 'malformed';

/** The streams whose time-out is malformed. */
const withoutTimeout = new WeakSet<object>();

/** How many RST_STREAM frames one connection may send: `burst` at once, `rate` a second for long. */
export interface ResetLimit {
  readonly burst: number;
  readonly rate: number;
}

/** The private members of grpc-js's Server that lie beneath its public interface; `guardHttp2` checks that they are there. */
interface Internals {
  commonServerOptions: ServerOptions & { streamResetBurst?: number; streamResetRate?: number };
  createHttp2Server(credentials: ServerCredentials): Http2Server;
}

/**
 * Mends what grpc-js leaves to Node's HTTP/2 server; call it before the server is bound.
 *
 * - Node closes a connection that sends more than 1,000 stream resets at once or 33 a second for long, with every call on it.
 *   Each cancelled or expired call is one reset, and a sidecar brings the calls of many clients over few connections. The
 *   limit is raised here; Envoy has two more of its own, see charts/telltale/files/envoy. (nodejs/node#56306)
 * - grpc-js takes any `grpc-timeout` with a digit and a unit somewhere in it, and overflows above 2^31 ms. Malformed values
 *   are answered with INTERNAL, large ones are cut to the largest that a timer can hold.
 * - grpc-js takes any content type that begins with application/grpc, and any HTTP method. Both are refused with HTTP 415.
 * - grpc-js decodes what it can of a value that is no base64. In the metadata that the kit reads it becomes one that is refused.
 * - Node resets a stream with more than 128 headers or 64 KiB of them. They are read, for an answer with a status.
 * - grpc-js keeps connections whose peer is not there; they are ended.
 *
 * @throws TypeError when this version of grpc-js keeps these things elsewhere
 */
export function guardHttp2(server: Server, limit: ResetLimit): void {
  const internals = server as unknown as Internals;
  if (typeof internals.commonServerOptions !== 'object' || typeof internals.createHttp2Server !== 'function') {
    throw new TypeError('this version of @grpc/grpc-js keeps its HTTP/2 server elsewhere; adapt http2-guard.ts');
  }
  internals.commonServerOptions.streamResetBurst = limit.burst;
  internals.commonServerOptions.streamResetRate = limit.rate;
  const { maxHeaderListPairs, maxHeaderListSize } = READABLE_METADATA;
  internals.commonServerOptions.maxHeaderListPairs = maxHeaderListPairs;
  internals.commonServerOptions.settings = { ...internals.commonServerOptions.settings, maxHeaderListSize };
  const create = internals.createHttp2Server.bind(server);
  internals.createHttp2Server = credentials => {
    const http2Server = create(credentials);
    observeConnections(http2Server);
    endConnections(http2Server);
    http2Server.prependListener('stream', (stream, headers, _flags, rawHeaders) => {
      checkMetadata(stream, rawHeaders);
      mendHeaders(headers); // before grpc-js reads them
      if (headers['grpc-timeout'] === MALFORMED) withoutTimeout.add(stream);
    });
    return http2Server;
  };
}

/** application/grpc with an optional format or parameter; see the gRPC over HTTP/2 specification, Requests. */
const CONTENT_TYPE = /^application\/grpc(\+proto)?(;.*)?$/;

/** One or more values in base64, padded or not; see the gRPC over HTTP/2 specification, Requests. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;
const isBase64 = (value: string) => value.split(',').every(part => BASE64.test(part.trim()));

/** Base64 of a byte that begins no message of protobuf. */
const NO_MESSAGE = Buffer.from([0x0f]).toString('base64');

/** Changes what grpc-js would misread into what it answers rightly. */
export function mendHeaders(headers: IncomingHttpHeaders): void {
  if (headers[':method'] !== 'POST' || !CONTENT_TYPE.test(headers['content-type'] ?? '')) headers['content-type'] = 'refused';
  const script = headers[SCRIPT_KEY];
  if (script !== undefined && !isBase64(String(script))) headers[SCRIPT_KEY] = NO_MESSAGE;
  const timeout = headers['grpc-timeout'];
  if (timeout === undefined) return;
  const ms = parseGrpcTimeout(String(timeout));
  if (ms === undefined) headers['grpc-timeout'] = MALFORMED;
  // whole seconds: eight digits of milliseconds would not reach that far
  else if (ms === MAX_TIMEOUT_MS) headers['grpc-timeout'] = `${Math.floor(MAX_TIMEOUT_MS / 1000)}S`;
}

/**
 * Keeps a call whose `grpc-timeout` is malformed from its handler. grpc-js answers it a tick later, when the handler of a method
 * that takes a stream has begun already.
 */
export const refuseMalformedTimeout: ServerInterceptor = (_method, call) => {
  if (withoutTimeout.has((call as unknown as { stream: object }).stream)) call.start = () => {};
  return call as ServerInterceptingCall;
};
