import { type ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';

/**
 * The most header lines and bytes of a request. The pod's own Envoy lets less than that through and refuses the rest in the same
 * way: charts/telltale/files/envoy/sidecar.yaml.
 */
const LIMIT = { lines: 160, bytes: 64 * 1024 };

/**
 * What Node's HTTP/2 server is to read, far above {@link LIMIT}. It resets a stream with more, which a caller takes for a broken
 * connection and may repeat. Above about 128 KiB its HTTP/2 library ends the whole connection, whatever is set here.
 */
export const READABLE_METADATA = { maxHeaderListPairs: 4000, maxHeaderListSize: 1024 * 1024 };

const tooLarge = new WeakSet<object>();

/** Remembers a stream whose headers, as [name, value, name, value, …], are too many or too large. */
export function checkMetadata(stream: object, rawHeaders: readonly string[]): void {
  let bytes = 0;
  for (const text of rawHeaders) bytes += text.length;
  if (rawHeaders.length > 2 * LIMIT.lines || bytes > LIMIT.bytes) tooLarge.add(stream);
}

/** Answers a call with too much metadata with RESOURCE_EXHAUSTED; no handler sees it. */
export const refuseTooMuchMetadata: ServerInterceptor = (_method, call) => {
  const { stream } = call as unknown as { stream: object };
  if (!tooLarge.has(stream)) return call as ServerInterceptingCall;
  call.start = () => {
    const details = `The metadata is too large: send at most ${LIMIT.lines} headers of ${LIMIT.bytes} bytes together`;
    call.sendStatus({ code: status.RESOURCE_EXHAUSTED, details });
  };
  return call as ServerInterceptingCall;
};
