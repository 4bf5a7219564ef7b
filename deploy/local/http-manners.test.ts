import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';
import { request } from './testing-bad-calls.ts';
import { type HttpAnswer, sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

/** What differs between two answers to the same request, or is no business of the answer itself. */
const PASSING = [
  'date',
  'telltale-edge-connection',
  'telltale-ingress-connection',
  'telltale-trace',
  'connection',
  'keep-alive',
];

/** Requests, written as they are, that the edge refuses before it knows a route: HTTP status, code, what the message says. */
const raw: Record<string, [request: string, http: number, code: status, says: RegExp]> = {
  'HTTP/1.0': ['GET /api/users/123 HTTP/1.0', 426, status.UNIMPLEMENTED, /HTTP\/1\.0 is not supported: use HTTP\/1\.1/],
  'HTTP/0.9': ['GET /', 426, status.UNIMPLEMENTED, /use HTTP\/1\.1/],
  'a WebSocket': [
    'GET /api/users/123 HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket',
    403,
    status.PERMISSION_DENIED,
    /without Upgrade/,
  ],
  'another protocol': [
    'POST /api/orders HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: foo/2',
    403,
    status.PERMISSION_DENIED,
    /without Upgrade/,
  ],
  CONNECT: ['CONNECT x:1 HTTP/1.1\r\nhost: x:1', 404, status.NOT_FOUND, /nothing here/],
  'OPTIONS of the whole server': ['OPTIONS * HTTP/1.1\r\nhost: x', 404, status.NOT_FOUND, /nothing here/],
  'a request without a host': ['GET /api/users/123 HTTP/1.1', 400, status.INVALID_ARGUMENT, /must name its host/],
  'what is no HTTP': ['HELLO', 400, status.INVALID_ARGUMENT, /not valid HTTP\/1\.1/],
  'two lengths of a body': [
    'POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked',
    400,
    status.INVALID_ARGUMENT,
    /not valid HTTP\/1\.1/,
  ],
  'a transfer coding that HTTP does not have': [
    'POST /api/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: foo',
    501,
    status.UNIMPLEMENTED,
    /./,
  ],
};

describe('the edge as an HTTP server', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const write = async (text: string): Promise<string> => {
    const [host = '', port] = mesh.edge.split(':');
    const socket = connect(Number(port), host);
    socket.write(`${text}\r\n\r\n`);
    let answer = '';
    for await (const chunk of socket) {
      answer += chunk;
      if (answer.endsWith('}\n')) break; // some answers leave the connection open
    }
    return answer;
  };

  for (const [what, [sent, http, code, says]] of Object.entries(raw)) {
    it(`refuses ${what} with ${http}, as google.rpc.Status`, async () => {
      const [head = '', body = ''] = (await write(sent)).split('\r\n\r\n');
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${http} [\\s\\S]*content-type: application/json`));
      const refusal = JSON.parse(body) as { code: number; message: string };
      assert.equal(refusal.code, code);
      assert.match(refusal.message, says);
    });
  }

  describe('answers HEAD', () => {
    const headersOf = ({ headers }: HttpAnswer) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !PASSING.includes(name)));

    for (const path of [
      '/api/users/123',
      '/api/users/999999',
      '/api/users/abc',
      '/api/users?page_size=1000',
      '/api/users/123/profile',
      '/api/orders/none',
      '/api/orders',
      '/api/nothing',
      '/',
      Users.getUser.path,
    ]) {
      it(`of ${path} as GET, without the body`, async () => {
        const [get, head] = [await sendHttp(mesh.edge, { path }), await sendHttp(mesh.edge, { method: 'HEAD', path })];
        assert.equal(head.status, get.status);
        assert.equal(head.text, '');
        assert.deepEqual(headersOf(head), headersOf(get));
      });
    }

    it('over HTTP/2', async () => {
      const session = connectHttp2(`http://${mesh.edge}`);
      try {
        const stream = session.request({ ':method': 'HEAD', ':path': '/api/users/123' });
        const [headers] = await once(stream, 'response');
        assert.deepEqual([headers[':status'], headers['content-length'], await text(stream)], [200, '34', '']);
      } finally {
        session.destroy();
      }
    });
  });

  describe('takes gRPC-Web by the content type', () => {
    const body = frame(request);
    const call = (type: string, sent: string | Uint8Array, path: string = Users.getUser.path) =>
      sendHttp(mesh.edge, {
        method: 'POST',
        path,
        headers: { 'content-type': type, accept: type.split(/[; ]/)[0] ?? '' },
        body: sent,
      });

    for (const parameters of [';charset=utf-8', '; charset=utf-8', ' ; a=b; c="d;e"', ';']) {
      it(`application/grpc-web+proto${parameters} and the three others`, async () => {
        for (const type of ['application/grpc-web', 'application/grpc-web+proto']) {
          const answer = await call(type + parameters, body);
          assert.match(answer.text, /Alice[\s\S]*grpc-status:0/);
          assert.equal(answer.headers['content-type'], 'application/grpc-web+proto');
        }
        for (const type of ['application/grpc-web-text', 'application/grpc-web-text+proto']) {
          const answer = await call(type + parameters, body.toString('base64'));
          assert.match(Buffer.from(answer.text, 'base64').toString(), /Alice/);
        }
      });
    }

    it('application/grpc-web+proto with parameters at an unknown path is UNIMPLEMENTED', async () => {
      const { status: http, headers } = await call('application/grpc-web+proto;x=y', body, '/no.such.Service/Get');
      const { 'grpc-status': code, 'content-type': type } = headers;
      assert.deepEqual([http, code, type], [200, String(status.UNIMPLEMENTED), 'application/grpc-web+proto']);
    });

    for (const type of [
      'application/grpc-web+json',
      'application/grpc-web+json;x=y',
      'application/grpc-webfoo',
      'application/grpcfoo',
    ]) {
      it(`${type} no, with 415 and a reason`, async () => {
        const answer = await call(type, body);
        assert.equal(answer.status, 415);
        assert.match((answer.json() as { message: string }).message, /^The content type must be application\/grpc or/);
      });
    }
  });
});
