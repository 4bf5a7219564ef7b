import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { type ServerDuplexStream, type ServerWritableStream, status } from '@grpc/grpc-js';
import { Undecodable } from './codec.ts';
import type { CallContext } from './context.ts';
import { RpcError } from './rpc-error.ts';

/** The error of a request that is no message of its type. */
export function undecodable({ reason }: Undecodable): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, reason, { reason: 'INVALID_REQUEST' });
}

/**
 * The messages of a request stream, one at a time: the next is read from the wire when it is asked for.
 *
 * A caller in Node that cancels ends its stream first, so the end of the messages can be the beginning of a cancellation:
 * do nothing at the end that could not be done before it.
 *
 * Leaving the loop early is fine, the rest is not read. Throws the signal's reason when the call ends first, and
 * INVALID_ARGUMENT for a message that is none.
 */
export async function* readMessages(call: Readable, context: CallContext): AsyncGenerator<object, void> {
  try {
    // the default destroys the call when the loop is left, and with it the way to answer
    for await (const message of call.iterator({ destroyOnReturn: false })) {
      if (message instanceof Undecodable) throw undecodable(message);
      yield message;
    }
  } catch (error) {
    context.signal.throwIfAborted(); // the end of the call shows as a premature close of its stream
    throw error;
  }
}

/**
 * Writes each message and waits whenever the caller reads more slowly, so that at most a few messages are held in memory.
 *
 * @param prepare is given each message before it is serialized
 * @throws the signal's reason when the call ends first; the iterable is then told to stop
 */
export async function writeMessages(
  call: ServerWritableStream<object, object> | ServerDuplexStream<object, object>,
  messages: AsyncIterable<object>,
  context: CallContext,
  prepare: (message: object, context: CallContext) => void,
): Promise<void> {
  const { signal } = context;
  for await (const message of messages) {
    signal.throwIfAborted();
    prepare(message, context);
    if (!call.write(message)) await once(call, 'drain', { signal });
  }
  signal.throwIfAborted();
}
