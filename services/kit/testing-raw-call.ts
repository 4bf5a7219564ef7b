import { connect, type IncomingHttpHeaders, type SecureClientSessionOptions } from 'node:http2';

/** What came back of a raw call. */
export interface RawAnswer {
  readonly httpStatus: number;
  /** NaN when there was none. */
  readonly grpcStatus: number;
  readonly grpcMessage: string;
  /** The headers and, over them, the trailers. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The code of the RST_STREAM that ended the stream; 0 when it ended well. */
  readonly resetCode: number;
}

/** A message as gRPC frames it: a flag for compression and the length before it. */
export function frame(message: Uint8Array, compressed = 0): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(compressed);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/**
 * Sends one gRPC request byte by byte as given, over a connection of its own: what no client library would send.
 *
 * @param headers are put over those of an ordinary gRPC request; give at least `:path`
 * @param tls how the connection is made, which is in plain text when absent
 * @throws Error when there is no connection, or no answer within five seconds
 */
export async function rawCall(
  address: string,
  headers: Record<string, string>,
  body: Uint8Array,
  tls?: SecureClientSessionOptions,
): Promise<RawAnswer> {
  // by default Node itself sends no more than 64 KiB of headers
  const session = connect(`${tls ? 'https' : 'http'}://${address}`, { maxSendHeaderBlockLength: 2 ** 24, ...tls });
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  session.once('error', reject);
  const stream = session.request({ ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers', ...headers });
  const chunks: Buffer[] = [];
  let received: IncomingHttpHeaders = {};
  const collect = (part: IncomingHttpHeaders) => {
    received = { ...received, ...part };
  };
  stream.once('response', collect).once('trailers', collect);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => {}); // a reset shows in the answer's code
  stream.once('close', () =>
    resolve({
      httpStatus: Number(received[':status']),
      grpcStatus: Number(received['grpc-status']),
      grpcMessage: decodeURIComponent(String(received['grpc-message'] ?? '')),
      headers: received,
      body: Buffer.concat(chunks),
      resetCode: stream.rstCode ?? 0,
    }),
  );
  stream.setTimeout(5000, () => reject(new Error(`no answer to ${headers[':path']} within 5 s`)));
  stream.end(body);
  return promise.finally(() => session.destroy());
}
