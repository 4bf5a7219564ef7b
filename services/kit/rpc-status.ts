import { Metadata, type status } from '@grpc/grpc-js';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status as RpcStatus } from '../../proto/gen/google/rpc/status.ts';
import type { RpcError, Violation } from './rpc-error.ts';

/** The `domain` of every google.rpc.ErrorInfo that a service of the mesh sends. */
export const ERROR_DOMAIN = 'telltale';

/** How long a google.rpc.Status may be, in bytes: in base64 less than 4 KiB, so that with the rest of an answer no peer refuses it. */
const MAX_STATUS_BYTES = 3060;

/** How long the message may be, in bytes: it is sent twice, in the google.rpc.Status and as `grpc-message`. */
const MAX_MESSAGE_BYTES = 1300;

/** What a violation takes besides its two texts: their keys and lengths, and its own. */
const FRAME_BYTES = 9;

/** What grpc-js sends for an error. */
export interface GrpcStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/**
 * What grpc-js sends for an error: code, message and the google.rpc.Status in `grpc-status-details-bin`, which is less than
 * 4 KiB whatever the error holds: a long message is cut, and of many violations the first are listed.
 *
 * @param requestId by which the request is found in traces and logs: google.rpc.RequestInfo
 */
export function toStatus(error: RpcError, requestId?: string): GrpcStatus {
  const message = cut(error.message.toWellFormed()); // grpc-js's encodeURI throws for half a surrogate pair, outside of any handler
  const encode = (violations: readonly Violation[]) =>
    RpcStatus.encode({ code: error.code, message, details: detailsOf(error, violations, requestId) }).finish();
  const without = encode([]);
  const listed = firstOf(error.violations, MAX_STATUS_BYTES - without.length - BAD_REQUEST_BYTES);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(listed.length > 0 ? encode(listed) : without));
  return { code: error.code, details: message, metadata };
}

/** As many of the violations, from the first one, as fit into so many bytes of an answer. */
export function firstOf(violations: readonly Violation[], bytes: number): readonly Violation[] {
  let left = bytes;
  const tooMany = violations.findIndex(({ field, description }) => {
    left -= Buffer.byteLength(field) + Buffer.byteLength(description) + FRAME_BYTES;
    return left < 0;
  });
  return tooMany < 0 ? violations : violations.slice(0, tooMany);
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_MESSAGE_BYTES) return text;
  return `${bytes
    .subarray(0, MAX_MESSAGE_BYTES)
    .toString()
    .replace(/\ufffd$/, '')}…`; // half a character, if it was cut within one
}

function detailsOf({ reason, retryAfterMs }: RpcError, violations: readonly Violation[], requestId?: string): Any[] {
  const details = [pack('ErrorInfo', ErrorInfo.encode({ reason, domain: ERROR_DOMAIN, metadata: {} }).finish())];
  if (violations.length > 0) {
    const fieldViolations = violations.map(violation => ({ ...violation, reason: '', localizedMessage: undefined }));
    details.push(pack('BadRequest', BadRequest.encode({ fieldViolations }).finish()));
  }
  if (retryAfterMs !== undefined) {
    const seconds = Math.floor(retryAfterMs / 1000);
    const retryDelay = { seconds: BigInt(seconds), nanos: (retryAfterMs - seconds * 1000) * 1e6 };
    details.push(pack('RetryInfo', RetryInfo.encode({ retryDelay }).finish()));
  }
  if (requestId !== undefined) {
    details.push(pack('RequestInfo', RequestInfo.encode({ requestId, servingData: '' }).finish()));
  }
  return details;
}

function pack(type: string, value: Uint8Array): Any {
  return { typeUrl: `type.googleapis.com/google.rpc.${type}`, value: Buffer.from(value) };
}

/** What a google.rpc.BadRequest takes besides its violations. */
const BAD_REQUEST_BYTES = pack('BadRequest', new Uint8Array()).typeUrl.length + 12;
