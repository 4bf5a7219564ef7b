import { Metadata, type ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

/** What a server of grpc-js can read, beside what is not compressed, in the order of its own answers. */
const ENCODINGS = ['gzip', 'deflate'];

/** The private members of grpc-js's server call that read messages; `strictFraming` checks that they are there. */
interface Internals {
  readonly decoder: { readonly readState: number };
  readonly incomingEncoding: string;
  decompressMessage(framed: Buffer, encoding: string): Promise<Buffer> | Buffer;
  handleEndEvent(): void;
  sendStatus(status: object): void;
}

/**
 * Refuses messages that grpc-js reads although the gRPC over HTTP/2 specification forbids them, before any handler sees them:
 *
 * - A compressed flag other than 0 and 1, or 1 in a request without `grpc-encoding`, is INTERNAL; grpc-js takes both for plain.
 * - A request that ends within a message or within the five bytes before one is INTERNAL; grpc-js drops what is left over.
 * - An encoding that cannot be read is UNIMPLEMENTED, as it is to grpc-js, with those that can in `grpc-accept-encoding`.
 *
 * @throws TypeError at the first call when this version of grpc-js keeps these things elsewhere
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests
 * @see https://github.com/grpc/grpc/blob/master/doc/compression.md
 */
export const strictFraming: ServerInterceptor = (_method, call) => {
  const internals = call as unknown as Internals;
  if (typeof internals.decompressMessage !== 'function' || typeof internals.decoder?.readState !== 'number') {
    throw new TypeError('this version of @grpc/grpc-js reads messages elsewhere; adapt strict-framing.ts');
  }
  internals.decompressMessage = decompressMessage; // no closures: they would be made for each call
  internals.handleEndEvent = handleEndEvent;
  return call as ServerInterceptingCall;
};

function decompressMessage(this: Internals, framed: Buffer, encoding: string): Promise<Buffer> | Buffer {
  const flag = framed.readUInt8(0);
  if (flag > 1) return Promise.reject(refusal(`the compressed flag of a message must be 0 or 1, is ${flag}`));
  if (flag === 1 && encoding === 'identity') return Promise.reject(refusal('a message is compressed without grpc-encoding'));
  if (encoding !== 'identity' && !ENCODINGS.includes(encoding)) return Promise.reject(unknownEncoding(encoding));
  return original(this).decompressMessage.call(this, framed, encoding);
}

function handleEndEvent(this: Internals): void {
  const between = 0; // grpc-js's state before the first byte of a message
  if (this.decoder.readState === between) original(this).handleEndEvent.call(this);
  else this.sendStatus(refusal('the request ends within a message'));
}

/** The methods that an interceptor has covered with its own. */
function original(call: Internals): Internals {
  return Object.getPrototypeOf(call);
}

function refusal(details: string): object {
  return { code: status.INTERNAL, details };
}

function unknownEncoding(encoding: string): object {
  const metadata = new Metadata();
  metadata.set('grpc-accept-encoding', ['identity', ...ENCODINGS].join());
  return { code: status.UNIMPLEMENTED, details: `messages compressed with "${encoding}" cannot be read`, metadata };
}
