import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { SCRIPT_KEY, scriptMetadata } from '../../services/kit/experiment.ts';
import { frame, rawCall } from '../../services/kit/testing-raw-call.ts';
import { request } from './testing-bad-calls.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { sendOpen } from './testing-open-request.ts';

const CALLS = 100;
const AT_ONCE = 10;

const slow = (scriptMetadata([{ service: 'users', waitMs: 1000 }]).get(SCRIPT_KEY)[0] as Buffer).toString('base64');
/** By time-out: how the call is slowed down, if need be. The deadline may pass at the edge, on the way, and in the app. */
const TIMEOUTS: Record<string, Record<string, string>> = {
  '1n': {},
  '999u': {},
  '0S': {},
  '00000000m': {},
  '5m': { [SCRIPT_KEY]: slow },
  '30m': { [SCRIPT_KEY]: slow },
};

describe('a call whose deadline passes is DEADLINE_EXCEEDED', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  /** How a call by each protocol ends: its HTTP status, and the status of the call. */
  const protocols: Record<string, (headers: Record<string, string>) => Promise<[http: number, code: number]>> = {
    'by gRPC': async headers => {
      const { httpStatus, grpcStatus, resetCode } = await rawCall(
        mesh.edge,
        { ':path': Users.getUser.path, ...headers },
        frame(request),
      );
      assert.equal(resetCode, 0);
      return [httpStatus, grpcStatus];
    },
    'by gRPC-Web': headers => callByWeb({ 'content-type': 'application/grpc-web+proto', ...headers }, frame(request)),
    'by gRPC-Web as text': headers => {
      const types = { 'content-type': 'application/grpc-web-text', accept: 'application/grpc-web-text' };
      return callByWeb({ ...types, ...headers }, Buffer.from(frame(request).toString('base64')));
    },
    'as JSON': async headers => {
      const answer = await sendHttp(mesh.edge, { path: '/api/users/123', headers });
      return [answer.status, (answer.json() as { code: number }).code];
    },
  };

  async function callByWeb(headers: Record<string, string>, body: Buffer): Promise<[number, number]> {
    const answer = await sendHttp(mesh.edge, { method: 'POST', path: Users.getUser.path, headers, body });
    const pieces = answer.text.match(/[^=]+=*/g) ?? []; // each message is base64 of its own
    const text = headers.accept ? pieces.map(piece => Buffer.from(piece, 'base64')).join('') : answer.text;
    assert.match(answer.headers['content-type'] ?? '', /^application\/grpc-web/);
    return [answer.status, Number(answer.headers['grpc-status'] ?? /grpc-status: ?(\d+)/.exec(text)?.[1])];
  }

  for (const [protocol, call] of Object.entries(protocols)) {
    const expected = [protocol === 'as JSON' ? 504 : 200, status.DEADLINE_EXCEEDED];
    for (const [timeout, more] of Object.entries(TIMEOUTS)) {
      it(`${protocol}, with the time-out ${timeout}, ${CALLS} times of ${CALLS}`, async () => {
        for (let round = 0; round < CALLS / AT_ONCE; round++) {
          const calls = Array.from({ length: AT_ONCE }, () => call({ 'grpc-timeout': timeout, ...more }));
          for (const outcome of await Promise.all(calls)) assert.deepEqual(outcome, expected);
        }
      });
    }
  }

  it('by gRPC and gRPC-Web while its request is open', async () => {
    for (const type of ['application/grpc', 'application/grpc-web+proto']) {
      const headers = { 'content-type': type, 'grpc-timeout': '50m' };
      const sent = { method: 'POST', path: Users.getUser.path, headers };
      const answer = await sendOpen(mesh.edge, sent, { version: 'HTTP/2', ends: false });
      assert.deepEqual([answer.status, answer.headers['grpc-status']], [200, String(status.DEADLINE_EXCEEDED)]);
    }
  });

  it('and one whose deadline does not pass is OK, the control', async () => {
    for (const [protocol, call] of Object.entries(protocols).filter(([name]) => name !== 'as JSON')) {
      assert.deepEqual(await call({ 'grpc-timeout': '5S' }), [200, status.OK], protocol);
    }
  });

  it('and one to a service that is gone is UNAVAILABLE', async () => {
    await mesh.scale('users', 0);
    for (const [protocol, call] of Object.entries(protocols)) {
      const http = protocol === 'as JSON' ? 503 : 200;
      assert.deepEqual(await call({ 'grpc-timeout': '5S' }), [http, status.UNAVAILABLE], protocol);
    }
  });
});
