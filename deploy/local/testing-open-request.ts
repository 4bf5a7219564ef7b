import { request } from 'node:http';
import { connect } from 'node:http2';
import { text } from 'node:stream/consumers';
import type { HttpRequest } from './testing-http.ts';

/** What came back while the request was open. */
export interface EarlyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Until the answer's headers, in milliseconds. */
  readonly ms: number;
}

/** How a request is sent. */
export interface Sending {
  readonly version: 'HTTP/1.1' | 'HTTP/2';
  /** Whether the request is ended. If not, its body could go on for ever, and the peer must answer before it ends. */
  readonly ends: boolean;
}

/** Sends a request over a connection of its own. Rejects when there is no answer within `withinMs` milliseconds. */
export async function sendOpen(
  address: string,
  sent: HttpRequest,
  { version, ends }: Sending,
  withinMs = 3000,
): Promise<EarlyAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<EarlyAnswer>();
  const start = performance.now();
  const silence = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs);
  const close =
    version === 'HTTP/2' ? sendHttp2(address, sent, ends, answered, reject) : sendHttp1(address, sent, ends, answered, reject);
  function answered(status: number, headers: EarlyAnswer['headers'], body: Promise<string>) {
    const ms = performance.now() - start;
    body.then(text => resolve({ status, headers, text, ms }), reject);
  }
  return promise.finally(() => {
    clearTimeout(silence);
    close();
  });
}

type Answered = (status: number, headers: EarlyAnswer['headers'], body: Promise<string>) => void;
type Send = (
  address: string,
  sent: HttpRequest,
  ends: boolean,
  answered: Answered,
  failed: (error: Error) => void,
) => () => void;

const sendHttp2: Send = (address, { method = 'GET', path, headers = {}, body }, ends, answered, failed) => {
  const session = connect(`http://${address}`).once('error', failed);
  const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: false });
  stream.once('response', ({ ':status': status, ...received }) => answered(Number(status), received, text(stream)));
  stream.on('error', failed);
  if (body) stream.write(body);
  if (ends) stream.end();
  return () => session.destroy();
};

const sendHttp1: Send = (address, { method = 'GET', path, headers = {}, body }, ends, answered, failed) => {
  const { hostname: host, port } = new URL(`http://${address}`);
  const framing = ends ? {} : { 'transfer-encoding': 'chunked' };
  const sent = request({ host, port, path, method, headers: { ...framing, ...headers }, agent: false });
  sent.once('response', answer => answered(answer.statusCode ?? 0, answer.headers, text(answer)));
  sent.on('error', failed);
  sent.flushHeaders();
  if (body) sent.write(body);
  if (ends) sent.end();
  return () => sent.destroy();
};
