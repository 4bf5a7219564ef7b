import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { constants } from 'node:http2';
import { Metadata, status } from '@grpc/grpc-js';
import subchannelCall from '@grpc/grpc-js/build/src/subchannel-call.js';
import { hasExpired, parseGrpcTimeout } from './deadline.ts';
import { ENCODINGS, flagError } from './framing.ts';

/** What grpc-js's call of one attempt ends with. */
interface Ending {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
  /** The code of the RST_STREAM that ended it, where one did. */
  readonly rstCode?: number;
}

/** The private members of grpc-js's call of one attempt that read an answer; `readStrictly` checks that they are there. */
interface AttemptCall {
  readonly http2Stream: ClientHttp2Stream;
  readonly decoder: { readonly readState: number };
  readonly readsClosed: boolean;
  readonly internalError: NodeJS.ErrnoException | null;
  readonly finalStatus: Ending | null;
  endCall(ending: Ending): void;
  handleTrailers(headers: IncomingHttpHeaders): void;
  maybeOutputStatus(): void;
  tryPush(framed: Buffer): void;
}
type Attempt = new (stream: ClientHttp2Stream, ...others: unknown[]) => AttemptCall;

const METHODS = ['endCall', 'handleTrailers', 'maybeOutputStatus', 'tryPush'] as const;

let isInstalled = false;

/**
 * Has every client of this process refuse answers that grpc-js takes although gRPC's specifications forbid them, and read rightly
 * what it misreads. What the call ends with is then the same for its caller, metrics and traces:
 *
 * - A compressed flag without an encoding, a flag above 1, an encoding that grpc-js cannot read and an answer that ends within a
 *   message are INTERNAL. grpc-js alone ends with no code at all, reads rubbish, or drops the rest.
 * - A `grpc-status` that is no number from 0 to 16 is UNKNOWN. grpc-js passes on 99 and NaN, and takes an empty one for OK.
 * - Another content type than gRPC's is UNKNOWN. grpc-js looks for messages in the page.
 * - A `grpc-message` is decoded whole, also `%2F`.
 * - A GOAWAY that ends the connection is UNAVAILABLE, whatever its code. grpc-js takes it for a reset of each stream.
 * - A reset that says no more than that the call is over, and comes when the deadline does, is DEADLINE_EXCEEDED: the peer's timer
 *   has fired first. On the wire it is the same as a cancellation; the tolerance is that of the server's side.
 *
 * @throws TypeError when this version of grpc-js keeps these things elsewhere
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 * @see https://github.com/grpc/grpc/blob/master/doc/compression.md
 * @see https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
 */
export function readStrictly(module: { Http2SubchannelCall: unknown } = subchannelCall): void {
  if (isInstalled && module === subchannelCall) return;
  const Lenient = module.Http2SubchannelCall as Attempt;
  if (typeof Lenient !== 'function' || METHODS.some(name => typeof Lenient.prototype[name] !== 'function')) {
    throw new TypeError('this version of @grpc/grpc-js reads answers elsewhere; adapt strict-answers.ts');
  }
  module.Http2SubchannelCall = strict(Lenient); // grpc-js looks its class up here for each call
  isInstalled = true;
}

const strict = (Lenient: Attempt) =>
  class StrictCall extends Lenient {
    readonly #begunAt = Date.now();
    /** Whether what comes is an HTTP page and no gRPC. */
    #isPage = false;
    #encoding = 'identity';

    constructor(stream: ClientHttp2Stream, ...others: unknown[]) {
      super(stream, ...others);
      stream.prependListener('response', (headers, flags) => {
        if ((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0) this.#readHeaders(headers);
      });
    }

    #readHeaders(headers: IncomingHttpHeaders): void {
      const type = headers['content-type'];
      this.#isPage = !GRPC.test(type ?? '');
      this.#encoding = String(headers['grpc-encoding'] ?? 'identity');
      if (this.#isPage && Number(headers[':status']) === 200) {
        this.#end(status.UNKNOWN, `the answer's content type must be application/grpc, is "${type ?? ''}"`);
      } else if (!this.#isPage && !ENCODINGS.includes(this.#encoding)) {
        this.#end(status.INTERNAL, `messages compressed with "${this.#encoding}" cannot be read`);
      }
    }

    override tryPush(framed: Buffer): void {
      if (this.#isPage) return; // its HTTP status says what there is to say
      const error = flagError(framed.readUInt8(0), this.#encoding);
      if (error === undefined) super.tryPush(framed);
      else this.#end(status.INTERNAL, error);
    }

    override handleTrailers(headers: IncomingHttpHeaders): void {
      mendTrailers(headers);
      super.handleTrailers(headers);
    }

    override maybeOutputStatus(): void {
      const isCut = this.readsClosed && this.decoder.readState !== BETWEEN && !this.#isPage;
      if (isCut && this.finalStatus?.code === status.OK) this.#end(status.INTERNAL, 'the answer ends within a message');
      else super.maybeOutputStatus();
    }

    override endCall(ending: Ending): void {
      if (this.#hasRunOut(ending)) super.endCall({ ...ending, ...EXPIRED });
      else if (ending.rstCode !== undefined && this.internalError?.code === 'ERR_HTTP2_SESSION_ERROR') {
        super.endCall({
          ...ending,
          code: status.UNAVAILABLE,
          details: `the connection was closed: ${this.internalError.message}`,
        });
      } else super.endCall(ending);
    }

    /** Whether the peer has reset the stream without saying why, when the deadline came. */
    #hasRunOut({ code, rstCode }: Ending): boolean {
      const isBare =
        (rstCode === constants.NGHTTP2_CANCEL && code === status.CANCELLED) ||
        (rstCode === constants.NGHTTP2_INTERNAL_ERROR && code === status.INTERNAL && this.internalError === null);
      if (!isBare) return false;
      const timeout = parseGrpcTimeout(String(this.http2Stream.sentHeaders?.['grpc-timeout'] ?? ''));
      return timeout !== undefined && hasExpired(this.#begunAt + timeout);
    }

    #end(code: status, details: string): void {
      this.endCall({ code, details, metadata: new Metadata() });
    }
  };

/** grpc-js's state of its decoder before the first byte of a message. */
const BETWEEN = 0;

const EXPIRED = { code: status.DEADLINE_EXCEEDED, details: 'the callee has reset the stream at its deadline' };

/** application/grpc with an optional format or parameter; see the gRPC over HTTP/2 specification, Responses. */
const GRPC = /^application\/grpc\s*(?:[+;]|$)/i;

/** Changes what grpc-js would misread into what it reads rightly. */
function mendTrailers(headers: IncomingHttpHeaders): void {
  const code = headers['grpc-status'];
  if (code !== undefined && !isCode(code)) {
    headers['grpc-status'] = String(status.UNKNOWN);
    headers['grpc-message'] = encodeURI(`grpc-status must be a number from 0 to 16, is "${code}"`.toWellFormed());
    return;
  }
  const message = headers['grpc-message'];
  if (typeof message === 'string' && message.includes('%')) headers['grpc-message'] = encodeURI(percentDecoded(message));
}

function isCode(value: string | string[]): boolean {
  return typeof value === 'string' && /^\d{1,2}$/.test(value) && status[Number(value)] !== undefined;
}

/** Percent-decoded as far as it is encoded: a message is never worth an error. */
function percentDecoded(message: string): string {
  return message
    .replace(/(?:%[0-9a-f]{2})+/gi, bytes => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString())
    .toWellFormed();
}
