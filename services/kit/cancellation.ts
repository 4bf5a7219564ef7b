import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';

const controllers = new WeakMap<Metadata, AbortController>();

/**
 * Notes the end of every call, also of one that ended before its handler was called.
 *
 * grpc-js tells a handler of a cancellation by an event on the call object, which for unary and server-streaming calls it
 * makes only when the request is complete: a reset that arrives together with its request is never heard of. The metadata
 * object is there from the beginning, so the signal is kept with it.
 */
export const watchCancellation: ServerInterceptor = (_method, call) => {
  const controller = new AbortController();
  return new ServerInterceptingCall(call, {
    start: next =>
      next({
        onReceiveMetadata(metadata, nextMetadata) {
          controllers.set(metadata, controller);
          nextMetadata(metadata);
        },
        onCancel: () => controller.abort(),
      }),
  });
};

/**
 * The signal of the end of the call whose metadata this is; aborted also when the call ended well.
 *
 * @throws TypeError when the server lacks the interceptor {@link watchCancellation}
 */
export function endOf(metadata: Metadata): AbortSignal {
  const controller = controllers.get(metadata);
  if (!controller) throw new TypeError('the server was made without the interceptor watchCancellation');
  return controller.signal;
}
