import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { BadRequest, ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status as RpcStatus } from '../../proto/gen/google/rpc/status.ts';

/** A field that breaks a rule: the path as in the `.proto` ("lines[2].quantity"), and the rule with the value that broke it. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

/** What an {@link RpcError} says beside its code and message. */
export interface RpcErrorOptions {
  /** UPPER_SNAKE_CASE, stable, for programs: google.rpc.ErrorInfo.reason. */
  reason: string;
  /** Every violated field, for INVALID_ARGUMENT: google.rpc.BadRequest. */
  violations?: readonly Violation[];
  /** When trying again makes sense, in milliseconds: google.rpc.RetryInfo. */
  retryAfterMs?: number;
  /** The short name of the service that answered with this error, when it came from a call. */
  upstream?: string;
  /** What was thrown first; it is logged and never sent. */
  cause?: unknown;
}

/**
 * The one error that handlers and clients throw. Its message and reason are sent to the caller: they hold nothing internal.
 *
 * @see https://google.aip.dev/193
 */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  /** The canonical code, 1 to 16. */
  readonly code: status;
  readonly reason: string;
  readonly violations: readonly Violation[];
  readonly retryAfterMs: number | undefined;
  readonly upstream: string | undefined;

  constructor(code: status, message: string, options: RpcErrorOptions) {
    super(message, { cause: options.cause });
    this.code = code;
    this.reason = options.reason;
    this.violations = options.violations ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.upstream = options.upstream;
  }
}

/** Whether something thrown is an {@link RpcError} with one of these codes. */
export function hasCode(error: unknown, ...codes: status[]): error is RpcError {
  return error instanceof RpcError && codes.includes(error.code);
}

/** The reason of an error that no service has sent: a connection, a proxy or gRPC itself ended the call. */
export const TRANSPORT = 'TRANSPORT';

/** When a caller may try again after "not now", in milliseconds: long enough for a proxy to have noticed. */
const RETRY_AFTER_MS = 100;

/** What the reason of another service's error begins with when it is passed on. */
const UPSTREAM = 'UPSTREAM_';

/** What a handler's caller is told of a failed call to another service, where it may know of it: "not now", not "your fault". */
const PASSED_ON: Partial<Record<status, { code: status; says: string }>> = {
  [status.UNAVAILABLE]: { code: status.UNAVAILABLE, says: 'is not available' },
  [status.DEADLINE_EXCEEDED]: { code: status.DEADLINE_EXCEEDED, says: 'did not answer in time' },
  [status.RESOURCE_EXHAUSTED]: { code: status.RESOURCE_EXHAUSTED, says: 'is overloaded' },
  // whoever cancelled that call, it was not our caller: its own cancellation would have ended our call first
  [status.CANCELLED]: { code: status.UNAVAILABLE, says: 'broke off' },
};

/**
 * Whatever a handler threw, as the error that its caller gets.
 *
 * A handler's own RpcError stays as it is. The error of a call to another service keeps its code where that says "not now",
 * and loses its text, which can name addresses. Everything else becomes INTERNAL with no details.
 */
export function toRpcError(thrown: unknown): RpcError {
  if (thrown instanceof RpcError) {
    if (thrown.upstream === undefined) return thrown;
    const passed = PASSED_ON[hasBrokenOff(thrown) ? status.CANCELLED : thrown.code];
    // once, however many hops away: a reason is a constant of 63 characters at most (google.rpc.ErrorInfo)
    const reason = thrown.reason.startsWith(UPSTREAM) ? thrown.reason : `${UPSTREAM}${thrown.reason}`;
    if (passed) {
      const late = passed.code === status.DEADLINE_EXCEEDED;
      const retry = late ? {} : { retryAfterMs: thrown.retryAfterMs ?? RETRY_AFTER_MS };
      return new RpcError(passed.code, `${thrown.upstream} ${passed.says}`, { reason, cause: thrown, ...retry });
    }
  }
  return new RpcError(status.INTERNAL, 'internal error', { reason: 'INTERNAL', cause: thrown });
}

/** What a stream ends with that is open when the server stops: its caller opens it again elsewhere. */
export function drained(): RpcError {
  const options = { reason: 'DRAINING', retryAfterMs: 0 };
  return new RpcError(status.UNAVAILABLE, 'the server is stopping; open the stream again', options);
}

/** Whether a call ended in the middle of its answer because its connection, or the callee's process, did. */
export function hasBrokenOff(error: unknown): boolean {
  // what grpc-js makes of RST_STREAM
  return hasCode(error, status.INTERNAL, status.UNKNOWN, status.CANCELLED) && error.reason === TRANSPORT;
}

/** The error of another service as this service's own, for an error that is about what our own caller asked for. */
export function passOn(error: RpcError): RpcError {
  const { reason, violations, retryAfterMs } = error;
  return new RpcError(error.code, error.message, {
    reason,
    violations,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause: error,
  });
}

/** The error of a failed call, with what the callee's google.rpc.Status says. `upstream` is the callee's short name. */
export function fromServiceError(error: ServiceError, upstream: string): RpcError {
  const options: RpcErrorOptions = { reason: TRANSPORT, upstream, cause: error };
  for (const { typeUrl, value } of readDetails(error.metadata)) Object.assign(options, readDetail(typeUrl, value));
  return new RpcError(codeOf(error.code), error.details, options);
}

/** The code that a call has ended with: UNKNOWN for what is none, such as that of an error that grpc-js did not foresee. */
export function codeOf(code: number | undefined): status {
  return code !== undefined && status[code] !== undefined ? code : status.UNKNOWN;
}

/** What a detail says; nothing when it is of another type, or garbled: details are an extra, the callee still answered with a code. */
function readDetail(typeUrl: string, value: Uint8Array): Partial<RpcErrorOptions> {
  try {
    if (typeUrl.endsWith('/google.rpc.ErrorInfo')) return { reason: ErrorInfo.decode(value).reason };
    if (typeUrl.endsWith('/google.rpc.BadRequest')) return { violations: readViolations(value) };
    if (typeUrl.endsWith('/google.rpc.RetryInfo')) return { retryAfterMs: readRetryAfterMs(value) };
  } catch {}
  return {};
}

function readViolations(value: Uint8Array): Violation[] {
  return BadRequest.decode(value).fieldViolations.map(({ field, description }) => ({ field, description }));
}

function readRetryAfterMs(value: Uint8Array): number {
  const { seconds = 0n, nanos = 0 } = RetryInfo.decode(value).retryDelay ?? {};
  return Math.max(0, Number(seconds) * 1000 + nanos / 1e6);
}

function readDetails(metadata: Metadata | undefined): Any[] {
  const [value] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!Buffer.isBuffer(value)) return [];
  try {
    return RpcStatus.decode(value).details;
  } catch {
    return [];
  }
}
