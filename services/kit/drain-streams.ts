import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { endOf } from './cancellation.ts';
import { drained } from './rpc-error.ts';
import { toStatus } from './rpc-status.ts';

type Stream = ServerWritableStream<never, never> | ServerDuplexStream<never, never>;

/**
 * A handler whose streams end with UNAVAILABLE when the server drains, for services that the handler adapter does not serve:
 * health and reflection. A client may leave such a stream open for ever, and the stop would wait for it.
 *
 * @param draining is aborted when open streams must end
 */
export function endAtDrain<Call>(draining: AbortSignal, handle: (call: Call) => void): (call: Call) => void {
  return call => {
    const stream = call as Stream;
    const onDrain = () => stream.emit('error', toStatus(drained()));
    const end = endOf(stream.metadata);
    if (end.ended) return;
    draining.addEventListener('abort', onDrain, { once: true });
    end.listen(() => draining.removeEventListener('abort', onDrain));
    handle(call);
  };
}
