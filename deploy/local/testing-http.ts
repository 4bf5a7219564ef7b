import { type IncomingHttpHeaders, request } from 'node:http';

/** What is sent, byte by byte as given: `fetch` would mend the path and refuse a GET with a body. */
export interface HttpRequest {
  /** GET unless given. */
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Called for each part of the answer's body as it comes. */
  readonly onData?: () => void;
}

/** What came back. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON; throws a SyntaxError when it is none. */
  json(): unknown;
}

/** Sends one HTTP/1.1 request over a connection of its own. Rejects when there is no answer within ten seconds. */
export async function sendHttp(
  address: string,
  { path, headers = {}, body, onData = () => {}, ...rest }: HttpRequest,
): Promise<HttpAnswer> {
  const { hostname: host, port } = new URL(`http://${address}`);
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const sent = request({ host, port, path, headers, agent: false, ...rest }, answer => {
    const chunks: Buffer[] = [];
    answer
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('data', onData)
      .once('error', reject);
    answer.once('end', () => {
      const text = Buffer.concat(chunks).toString();
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: () => JSON.parse(text) });
    });
  });
  sent.once('error', reject);
  sent.setTimeout(10_000, () => sent.destroy(new Error(`no answer to ${path} within 10 s`)));
  sent.end(body);
  return promise;
}
