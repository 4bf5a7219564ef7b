import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';
import { request } from './testing-bad-calls.ts';
import { type HttpRequest, sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

const ALLOWED = 'http://allowed.example:5173';
/** One that is another, and some that look like the one that is allowed. */
const FOREIGN = ['http://foreign.example', 'https://allowed.example:5173', `${ALLOWED}.foreign.example`, 'null'];

/** What a browser asks before a page of this origin may call by gRPC-Web. */
const preflight = (origin: string): HttpRequest => ({
  method: 'OPTIONS',
  path: Users.getUser.path,
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,x-grpc-web,grpc-timeout',
  },
});
const call = (origin: string) => ({
  method: 'POST',
  path: Users.getUser.path,
  headers: { origin, 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' },
  body: frame(request),
});

/** What a browser client reads of an answer besides its body. */
const EXPOSED = ['grpc-status', 'grpc-message', 'grpc-status-details-bin', 'telltale-trace', 'retry-after', 'allow'];

/** An answer of each kind, by whom it is made and in which form. */
const answers = (origin: string): Record<string, HttpRequest> => ({
  'the answer of a service by gRPC-Web': call(origin),
  'the answer of a service as JSON': { path: '/api/users/123', headers: { origin } },
  'the error of a service as JSON': { path: '/api/users/999999', headers: { origin } },
  'the answer to HEAD': { method: 'HEAD', path: '/api/users/123', headers: { origin } },
  'the refusal of a path': { path: '/api/nothing', headers: { origin } },
  'the refusal of a method': { method: 'PUT', path: '/api/orders', headers: { origin } },
  'the refusal of a content type': { method: 'POST', path: '/api/orders', headers: { origin, 'content-type': 'text/plain' } },
  'the refusal of JSON': {
    method: 'POST',
    path: '/api/orders',
    headers: { origin, 'content-type': 'application/json' },
    body: '{',
  },
  'the refusal of a value in the path': { path: '/api/users/abc', headers: { origin } },
  'the refusal of an escaped slash': { path: '/api/users/a%2Fb', headers: { origin } },
  'the refusal of too much metadata': { path: '/api/users/123', headers: { origin, 'x-large': 'x'.repeat(60_000) } },
  'the refusal of an upgrade': { path: '/api/users/123', headers: { origin, connection: 'upgrade', upgrade: 'websocket' } },
  'the refusal of a service by gRPC-Web': { ...call(origin), path: '/no.such.Service/Get' },
  'the end of a deadline by gRPC-Web': { ...call(origin), headers: { ...call(origin).headers, 'grpc-timeout': '1n' } },
});

describe('the edge to whose pages one other origin may call it', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh({ values: ['--set', `edge.corsOrigins={${ALLOWED}}`] });
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  it('says so to a browser that asks for this origin, and which headers the page may send', async () => {
    const { status, headers } = await sendHttp(mesh.edge, preflight(ALLOWED));
    assert.equal(status, 200);
    assert.equal(headers['access-control-allow-origin'], ALLOWED);
    assert.match(headers['access-control-allow-methods'] ?? '', /\bPOST\b/);
    const sent = (headers['access-control-allow-headers'] ?? '').split(',');
    for (const name of ['content-type', 'x-grpc-web', 'grpc-timeout']) assert.ok(sent.includes(name), name);
  });

  it('lets a page of this origin read the answer to a gRPC-Web call, and its status', async () => {
    const { status, headers, text } = await sendHttp(mesh.edge, call(ALLOWED));
    assert.equal(status, 200);
    assert.match(text, /Alice[\s\S]*grpc-status:0/);
    assert.equal(headers['access-control-allow-origin'], ALLOWED);
    const read = (headers['access-control-expose-headers'] ?? '').split(',');
    for (const name of ['grpc-status', 'grpc-message', 'grpc-status-details-bin']) assert.ok(read.includes(name), name);
  });

  for (const [what, sent] of Object.entries(answers(ALLOWED))) {
    it(`lets a page of this origin read ${what}, and what a client needs of its headers`, async () => {
      const { headers } = await sendHttp(mesh.edge, sent);
      assert.equal(headers['access-control-allow-origin'], ALLOWED);
      assert.deepEqual(
        EXPOSED.filter(name => !(headers['access-control-expose-headers'] ?? '').split(',').includes(name)),
        [],
      );
      assert.equal(headers.vary, 'origin');
    });
  }

  for (const path of ['/api/users/123', '/api/orders', '/api/nothing', '/', '/no.such.Service/Get']) {
    it(`says so to a browser that asks for ${path}`, async () => {
      const { status, headers } = await sendHttp(mesh.edge, { ...preflight(ALLOWED), path });
      assert.deepEqual([status, headers['access-control-allow-origin'], headers.vary], [200, ALLOWED, 'origin']);
    });
  }

  for (const origin of FOREIGN) {
    it(`gives a page of the origin ${origin} leave neither to call nor to read an answer`, async () => {
      const asked = await sendHttp(mesh.edge, preflight(origin));
      assert.equal(asked.status, 405);
      // a call that a browser makes without asking is served, as to anybody who is no browser; the page does not get to read it
      const answered = await Promise.all(Object.values(answers(origin)).map(sent => sendHttp(mesh.edge, sent)));
      for (const { headers } of [asked, ...answered]) {
        assert.deepEqual(
          Object.keys(headers).filter(name => name.startsWith('access-control-')),
          [],
        );
      }
    });
  }
});

it('the edge by its defaults allows no origin, the control', async () => {
  await using mesh = await startTestMesh();
  assert.equal((await sendHttp(mesh.edge, preflight(ALLOWED))).status, 405);
  assert.equal((await sendHttp(mesh.edge, call(ALLOWED))).headers['access-control-allow-origin'], undefined);
});
