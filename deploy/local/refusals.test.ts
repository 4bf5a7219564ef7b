import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { median } from '../../services/lab/measure/statistics.ts';
import type { HttpRequest } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { type EarlyAnswer, type Sending, sendOpen } from './testing-open-request.ts';

/** How long the edge may take to refuse, in milliseconds. One answer may be late on a busy machine; most must not. */
const PROMPT_MS = 100;

const GRPC = ['application/grpc', 'application/grpc+proto', 'application/grpc;x=y', 'application/grpc+json'];
const GRPC_WEB = [
  'application/grpc-web',
  'application/grpc-web+proto',
  'application/grpc-web-text',
  'application/grpc-web-text+proto',
];
const OTHER = ['application/json', 'text/plain', ''];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const UNKNOWN = [
  '/',
  '/nothing',
  '/api',
  '/api/nothing',
  '/api/users/1/2/3',
  '/no.such.Service/Get',
  '/telltale.orders.v1.OrderService/GetOrder',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
  '/grpc.health.v1.Health/Watch',
];
const SENDINGS: Sending[] = (['HTTP/1.1', 'HTTP/2'] as const).flatMap(version =>
  [true, false].map(ends => ({ version, ends })),
);

const isGrpc = (type: string) => type.startsWith('application/grpc');
const typed = (type: string): Record<string, string> => (type === '' ? {} : { 'content-type': type });

/** What refuses a request by its headers alone, whatever body would follow: HTTP status, code of the body or gRPC status. */
const byHeaders: Record<string, [sent: HttpRequest, http: number, code: status, says: RegExp]> = {
  'a path that takes another method': [
    post('/api/users/123', 'application/json'),
    405,
    status.UNIMPLEMENTED,
    /takes GET, HEAD/,
  ],
  'an order that is no JSON': [post('/api/orders', 'text/plain'), 415, status.INVALID_ARGUMENT, /application\/json/],
  'an order by gRPC': [post('/api/orders', 'application/grpc'), 200, status.UNIMPLEMENTED, /application\/json/],
  'a gRPC method by PUT': [
    { ...post(Users.getUser.path, 'application/grpc'), method: 'PUT' },
    200,
    status.UNIMPLEMENTED,
    /POST/,
  ],
  'JSON to a gRPC method': [post(Users.getUser.path, 'application/json'), 415, status.INVALID_ARGUMENT, /content type/],
  'an unknown gRPC method': [post('/telltale.users.v1.UserService/None', 'application/grpc'), 200, status.UNIMPLEMENTED, /./],
  'a malformed grpc-timeout': [
    post(Users.getUser.path, 'application/grpc', { 'grpc-timeout': 'abc' }),
    200,
    status.INTERNAL,
    /grpc-timeout/,
  ],
  'a deadline that has passed': [
    post(Users.getUser.path, 'application/grpc', { 'grpc-timeout': '1n' }),
    200,
    status.DEADLINE_EXCEEDED,
    /deadline/,
  ],
  'too much metadata': [
    post(Users.getUser.path, 'application/grpc', { 'x-large': 'x'.repeat(60_000) }),
    200,
    status.RESOURCE_EXHAUSTED,
    /metadata/,
  ],
  'a query that the contract does not have': [
    post('/api/orders?x=1', 'application/json'),
    400,
    status.INVALID_ARGUMENT,
    /^x: /,
  ],
  'a value in the path that is no id': [{ path: '/api/users/abc' }, 400, status.INVALID_ARGUMENT, /^id: /],
  'an escaped slash': [post('/api/users/a%2Fb', 'application/json'), 400, status.INVALID_ARGUMENT, /%2F/],
};

function post(path: string, type: string, headers: Record<string, string> = {}): HttpRequest {
  return { method: 'POST', path, headers: { ...typed(type), ...headers } };
}

describe('the edge refuses, also while the request is open,', () => {
  let mesh: TestMesh;
  const times: number[] = [];
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const send = async (sent: HttpRequest, sending: Sending) => {
    const answer = await sendOpen(mesh.edge, sent, sending).catch((error: Error) => {
      throw new Error(`${JSON.stringify(sent).slice(0, 200)} ${JSON.stringify(sending)}: ${error.message}`);
    });
    times.push(answer.ms);
    return answer;
  };

  for (const type of [...GRPC, ...GRPC_WEB, ...OTHER]) {
    it(`every method of every unknown path with the content type "${type}"`, async () => {
      for (const path of UNKNOWN) {
        const rows = METHODS.flatMap(method => SENDINGS.map(sending => ({ method, sending })));
        const answers = await Promise.all(
          rows.map(({ method, sending }) => send({ method, path, headers: typed(type) }, sending)),
        );
        for (const answer of answers) {
          const expected = isGrpc(type) ? { http: 200, code: status.UNIMPLEMENTED } : { http: 404, code: status.NOT_FOUND };
          assert.deepEqual(refusalIn(answer), { ...expected, says: 'There is nothing here by this method and path' }, path);
        }
      }
    });
  }

  for (const [what, [sent, http, code, says]] of Object.entries(byHeaders)) {
    it(what, async () => {
      for (const sending of SENDINGS) {
        const refusal = refusalIn(await send(sent, sending));
        assert.deepEqual([refusal.http, refusal.code], [http, code], JSON.stringify(sending));
        assert.match(refusal.says, says);
      }
    });
  }

  it('a body that its length says is too large, and a GET that begins to send one', async () => {
    const json = { 'content-type': 'application/json' };
    const large = { method: 'POST', path: '/api/orders', headers: { ...json, 'content-length': '5000000' } };
    const get = { path: '/api/users/123', body: '{"id":8}' };
    const of = (headers: Record<string, string>) => ({ ...get, headers });
    for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
      const sending = { version, ends: false };
      const framed = version === 'HTTP/1.1' ? { ...large, headers: { ...large.headers, 'transfer-encoding': '' } } : large;
      if (version === 'HTTP/2') assert.equal((await send(framed, sending)).status, 413);
      assert.deepEqual(refusalIn(await send(of({}), sending)), {
        http: 400,
        code: status.INVALID_ARGUMENT,
        says: 'A GET must have no body here: the path and the query say all',
      });
    }
  });

  it(`half of them within ${PROMPT_MS} ms`, t => {
    t.diagnostic(`${times.length} answers, median ${median(times).toFixed(1)} ms, longest ${Math.max(...times).toFixed(1)} ms`);
    assert.ok(median(times) < PROMPT_MS);
  });
});

/** A refusal in the form that its caller reads. */
function refusalIn({ status: http, headers, text }: EarlyAnswer) {
  const { 'grpc-status': code, 'grpc-message': message } = headers;
  if (http === 200) return { http, code: Number(code), says: decodeURIComponent(String(message)) };
  const body = JSON.parse(text) as { code: number; message: string };
  assert.equal(headers['content-type'], 'application/json');
  return { http, code: body.code, says: body.message };
}
