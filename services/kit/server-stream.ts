import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import type { Admit } from './admission.ts';
import type { CallContext } from './context.ts';

/**
 * The messages of a request stream, one at a time: the next is read from the wire when it is asked for.
 *
 * A caller in Node that cancels ends its stream first, so the end of the messages can be the beginning of a cancellation:
 * do nothing at the end that could not be done before it.
 *
 * Leaving the loop early is fine, the rest is not read. Throws the signal's reason when the call ends first, and
 * what `admit` throws for a message that may not pass; the paths in it begin with the index of the message: "[3].order_id".
 */
export async function* readMessages(call: Readable, context: CallContext, admit: Admit): AsyncGenerator<object, void> {
  let index = 0;
  try {
    // the default destroys the call when the loop is left, and with it the way to answer
    for await (const message of call.iterator({ destroyOnReturn: false })) {
      yield admit(message, `[${index++}]`);
    }
  } catch (error) {
    context.signal.throwIfAborted(); // the end of the call shows as a premature close of its stream
    throw error;
  }
}

/**
 * Writes each message and waits whenever the caller reads more slowly, so that at most a few messages are held in memory.
 *
 * @param prepare makes of each message what is written
 * @throws the signal's reason when the call ends first; the iterable is then told to stop
 */
export async function writeMessages(
  call: ServerWritableStream<object, object> | ServerDuplexStream<object, object>,
  messages: AsyncIterable<object>,
  context: CallContext,
  prepare: (message: object) => object,
): Promise<void> {
  const { signal } = context;
  for await (const message of messages) {
    signal.throwIfAborted();
    if (!call.write(prepare(message))) await once(call, 'drain', { signal });
  }
  signal.throwIfAborted();
}
