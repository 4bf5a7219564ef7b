import { Metadata, status } from '@grpc/grpc-js';
import type { MethodDefinition } from './method.ts';
import { RpcError } from './rpc-error.ts';

/** The longest answer in bytes, of a stream the longest of its messages: what gRPC clients of every language take by default. */
export const MAX_ANSWER_BYTES = 4 * 2 ** 20;

/** The longest unary answer in bytes, with the five before it, that the sidecar holds until it is whole. */
export const HELD_BYTES = 256 * 2 ** 10;

/** Tells the sidecar (sidecar.yaml, ingress) to pass an answer on as it comes. The sidecar removes it. */
const PASS_ON = new Metadata();
PASS_ON.set('telltale-pass-on', 'true');

const FRAME_BYTES = 5;

/** Serializes the answers of a method. Throws an RpcError RESOURCE_EXHAUSTED for one that no client would take. */
export function answerEncoder({ path, responseSerialize }: MethodDefinition): (answer: object) => Buffer {
  const encode = responseSerialize as (answer: object) => Buffer;
  return answer => {
    const bytes = encode(answer);
    if (bytes.length > MAX_ANSWER_BYTES) throw tooLong(bytes.length, path.slice(path.lastIndexOf('/') + 1));
    return bytes;
  };
}

/** The headers that a unary answer needs besides the usual ones, if any. */
export function headersOf(answer: Buffer): Metadata | undefined {
  return answer.length + FRAME_BYTES > HELD_BYTES ? PASS_ON : undefined;
}

function tooLong(bytes: number, method: string): RpcError {
  const message = `an answer of ${bytes} bytes is too long: ${method} sends at most ${MAX_ANSWER_BYTES}; ask for less at once`;
  return new RpcError(status.RESOURCE_EXHAUSTED, message, { reason: 'ANSWER_TOO_LARGE' });
}
