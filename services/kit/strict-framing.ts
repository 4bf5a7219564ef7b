import { Metadata, type ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { ENCODINGS, flagError } from './framing.ts';

/** The private members of grpc-js's server call that read messages; `strictFraming` checks that they are there. */
interface Internals {
  readonly decoder: { readonly readState: number };
  readonly incomingEncoding: string;
  decompressMessage(framed: Buffer, encoding: string): Promise<Buffer> | Buffer;
  handleEndEvent(): void;
  sendStatus(status: object): void;
  start(listener: object): void;
}

/**
 * Refuses requests that grpc-js reads although the gRPC over HTTP/2 specification forbids them, before any handler sees them:
 *
 * - A compressed flag other than 0 and 1, or 1 in a request without `grpc-encoding`, is INTERNAL; grpc-js takes both for plain.
 * - A request that ends within a message or within the five bytes before one is INTERNAL; grpc-js drops what is left over.
 * - An encoding that cannot be read is UNIMPLEMENTED, with those that can in `grpc-accept-encoding`, also when no message is
 *   compressed by it; grpc-js looks at it when one is.
 *
 * @throws TypeError at the first call when this version of grpc-js keeps these things elsewhere
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests
 * @see https://github.com/grpc/grpc/blob/master/doc/compression.md
 */
export const strictFraming: ServerInterceptor = (_method, call) => {
  const internals = call as unknown as Internals;
  if (
    typeof internals.decompressMessage !== 'function' ||
    typeof internals.decoder?.readState !== 'number' ||
    typeof internals.incomingEncoding !== 'string'
  ) {
    throw new TypeError('this version of @grpc/grpc-js reads messages elsewhere; adapt strict-framing.ts');
  }
  if (!ENCODINGS.includes(internals.incomingEncoding)) internals.start = refuseEncoding;
  internals.decompressMessage = decompressMessage; // no closures: they would be made for each call
  internals.handleEndEvent = handleEndEvent;
  return call as ServerInterceptingCall;
};

function decompressMessage(this: Internals, framed: Buffer, encoding: string): Promise<Buffer> | Buffer {
  const error = flagError(framed.readUInt8(0), encoding);
  if (error !== undefined) return Promise.reject(refusal(error));
  return original(this).decompressMessage.call(this, framed, encoding);
}

function handleEndEvent(this: Internals): void {
  const between = 0; // grpc-js's state before the first byte of a message
  if (this.decoder.readState === between) original(this).handleEndEvent.call(this);
  else this.sendStatus(refusal('the request ends within a message'));
}

/** Answers instead of beginning the call: its handler never hears of it. */
function refuseEncoding(this: Internals): void {
  const metadata = new Metadata();
  metadata.set('grpc-accept-encoding', ENCODINGS.join());
  const details = `messages compressed with "${this.incomingEncoding}" cannot be read`;
  this.sendStatus({ code: status.UNIMPLEMENTED, details, metadata });
}

/** The methods that an interceptor has covered with its own. */
function original(call: Internals): Internals {
  return Object.getPrototypeOf(call);
}

function refusal(details: string): object {
  return { code: status.INTERNAL, details };
}
