import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Metadata, status } from '@grpc/grpc-js';
import { type UserRequest, type UserResponse, UserServiceService } from '../../../../proto/gen/telltale/users/v1/user.ts';
import type { CallOptions } from '../../../kit/client.ts';
import { type Deadline, remainingMs } from '../../../kit/deadline.ts';
import { serviceName } from '../../../kit/method.ts';
import { RpcError, TRANSPORT } from '../../../kit/rpc-error.ts';

const { path, requestSerialize, responseDeserialize } = UserServiceService.getUser;
const { short } = serviceName(UserServiceService);

/** Whether the message is compressed, and its length: what gRPC puts before each message. */
const PREFIX_BYTES = 5;

/** The options of a call that stands by itself. */
type OwnCallOptions = CallOptions & { context?: never; deadline: Deadline };

/**
 * A client of users that speaks HTTP/1.1 to the sidecar, which goes on by HTTP/2: the same method, bytes, routes and deadline as by
 * gRPC, over connections that carry one call at a time.
 */
export interface Http1Users extends Disposable {
  /** Rejects with an RpcError, as the kit's clients do. */
  readonly getUser: (request: UserRequest, options: OwnCallOptions) => Promise<UserResponse>;
}

/**
 * Makes a client with at most `maxSockets` connections to `address`, "host:port", which are made when needed and kept; further calls
 * wait for one. Dispose of it to close them.
 */
export function createHttp1Users(address: string, maxSockets: number): Http1Users {
  const agent = new Agent({ keepAlive: true, maxSockets, maxFreeSockets: maxSockets });
  return {
    getUser: async (message, { deadline, signal, metadata = new Metadata(), onMetadata }) => {
      const expired = AbortSignal.timeout(remainingMs(deadline));
      const headers = {
        ...metadata.toHttp2Headers(),
        host: short,
        'content-type': 'application/grpc',
        'grpc-timeout': `${Math.ceil(remainingMs(deadline))}m`,
      };
      const ended = AbortSignal.any(signal ? [signal, expired] : [expired]);
      try {
        const sent = request(`http://${address}${path}`, { method: 'POST', agent, headers, signal: ended });
        sent.end(framed(requestSerialize(message)));
        const [answer] = (await once(sent, 'response')) as [IncomingMessage];
        onMetadata?.(Metadata.fromHttp2Headers(answer.headers));
        return responseDeserialize(messageOf(answer, await buffer(answer)));
      } catch (error) {
        if (error instanceof RpcError) throw error;
        throw failure(codeOf(signal, expired), String(error), error);
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The message of an answer. HTTP/1.1 has lost its trailers; a call that fails has its status in the headers instead. */
function messageOf({ statusCode, headers }: IncomingMessage, body: Buffer): Buffer {
  if (statusCode !== 200) throw failure(status.UNAVAILABLE, `HTTP status ${statusCode}`);
  const code = Number(headers['grpc-status'] ?? status.OK);
  if (code !== status.OK) throw failure(code, decodeURIComponent(String(headers['grpc-message'] ?? '')));
  if (body.length < PREFIX_BYTES || body.readUInt32BE(1) !== body.length - PREFIX_BYTES) {
    throw failure(status.INTERNAL, `an answer of ${body.length} bytes is no message`);
  }
  return body.subarray(PREFIX_BYTES);
}

function codeOf(signal: AbortSignal | undefined, expired: AbortSignal): status {
  if (signal?.aborted) return status.CANCELLED;
  return expired.aborted ? status.DEADLINE_EXCEEDED : status.UNAVAILABLE;
}

function failure(code: status, message: string, cause?: unknown): RpcError {
  return new RpcError(code, message, { reason: TRANSPORT, upstream: short, cause });
}
