import { once } from 'node:events';
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';

/** A gRPC call that is made over and over: its path and its whole body, with the five bytes before the message. */
export interface RepeatedCall {
  readonly path: string;
  readonly body: Buffer;
  /** The share of the calls whose parent's trace is kept, from 0 to 1. */
  readonly sampled: number;
}

/**
 * Makes unary gRPC calls on one connection, `concurrency` at a time, until `over`, which is told how many were answered, says so;
 * resolves to their number. It does no more per call than it must, so that the server is what is measured. Rejects when a call fails.
 */
export async function loadUntil(
  over: (answered: number) => boolean,
  address: string,
  call: RepeatedCall,
  concurrency: number,
): Promise<number> {
  const session = connect(`http://${address}`);
  await once(session, 'connect');
  let answered = 0;
  const repeat = async () => {
    for (; !over(answered); answered++) await callOnce(session, call);
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, repeat));
  } finally {
    session.close();
  }
  return answered;
}

let calls = 0;

/** A parent as the edge would send it; the flags say whether its trace is kept. */
function traceparent(sampled: number): string {
  const id = (++calls).toString(16);
  return `00-${id.padStart(32, 'a')}-${id.padStart(16, 'b')}-${Math.random() < sampled ? '01' : '00'}`;
}

function callOnce(session: ClientHttp2Session, { path, body, sampled }: RepeatedCall): Promise<void> {
  const headers: OutgoingHttpHeaders = {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    'grpc-timeout': '5S',
    te: 'trailers',
    traceparent: traceparent(sampled),
  };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stream = session.request(headers);
  let code: unknown;
  stream.once('trailers', trailers => {
    code = trailers['grpc-status'];
  });
  stream.once('error', reject);
  stream.once('close', () => (code === '0' ? resolve() : reject(new Error(`a call ended with grpc-status ${code}`))));
  stream.resume();
  stream.end(body);
  return promise;
}
