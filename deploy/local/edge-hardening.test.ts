import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import type { Client } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { RpcError } from '../../services/kit/rpc-error.ts';
import { frame, rawCall } from '../../services/kit/testing-raw-call.ts';
import type { KubeObject } from './manifest.ts';
import { request } from './testing-bad-calls.ts';
import { type HttpAnswer, sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { sendOpen } from './testing-open-request.ts';
import { countedByEdge } from './testing-processes.ts';

/** What a caller could say of itself, of Envoy's doing, and of what the mesh says to itself. */
const FORGED: Record<string, string> = {
  'x-forwarded-for': '10.1.2.3',
  'x-forwarded-host': 'forged.example',
  'x-forwarded-client-cert': 'URI=spiffe://telltale/ns/x/sa/forged',
  forwarded: 'for=10.1.2.3',
  'x-real-ip': '10.1.2.3',
  'x-request-id': 'forged',
  'x-envoy-upstream-rq-timeout-ms': '1',
  'x-envoy-max-retries': '9',
  'telltale-retriable': 'true',
  baggage: 'forged=1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'forged=1',
};

/** Has the edge log what it sends on of these headers, in the place of the run. */
const logging = (objects: KubeObject[]): KubeObject[] => {
  const fields = Object.keys(FORGED).map(name => `%REQ(${name.toUpperCase()})%`);
  const text = JSON.stringify(objects);
  const changed = text.replaceAll('%REQ(TELLTALE-RUN)%', fields.join('|'));
  assert.notEqual(changed, text);
  return JSON.parse(changed);
};

const WEB = { 'content-type': 'application/grpc-web+proto' };
const CALLS_PER_SECOND = 50;
const CONNECTIONS = 60;

describe('the edge', () => {
  let mesh: TestMesh;
  let client: Client<typeof Users>;
  before(async () => {
    const values = [
      `edge.rateLimit.callsPerSecond=${CALLS_PER_SECOND}`,
      `edge.rateLimit.burst=${CALLS_PER_SECOND}`,
      `limits.connections=${CONNECTIONS}`,
      'limits.requestTime=2s',
    ];
    mesh = await startTestMesh({ values: values.flatMap(value => ['--set', value]), transform: logging });
    client = mesh.client(Users);
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const getUser = () => client.getUser({ id: 123 }, { deadline: deadlineIn(5000) });

  it('passes on nothing that a caller says of its address, of its request, of retries or of traces', async () => {
    const headers = { ':path': Users.getUser.path, 'x-passes': 'yes', ...FORGED };
    const { grpcStatus, headers: answer } = await rawCall(mesh.edge, headers, frame(request));
    assert.equal(grpcStatus, status.OK); // 1 ms would not do
    assert.equal(answer.server, 'telltale');
    assert.deepEqual(
      Object.keys(answer).filter(name => /^x-|^via$/.test(name)),
      [],
    );
    const seen = String((await logLine(mesh, Users.getUser.path)).run).split('|');
    const passed = new Map(Object.keys(FORGED).map((name, n) => [name, seen[n]]));
    for (const [name, forged] of Object.entries(FORGED)) assert.notEqual(passed.get(name), forged, name);
    assert.ok(isIP(passed.get('x-forwarded-for') ?? '')); // whom the edge has seen
  });

  it('leads neither to reflection, health, channelz nor to an admin interface', async () => {
    const services = [
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'grpc.channelz.v1.Channelz',
    ];
    for (const path of [...services.map(name => `/${name}/Get`), '/grpc.health.v1.Health/Check']) {
      assert.equal(
        (await rawCall(mesh.edge, { ':path': path }, frame(Buffer.alloc(0)))).grpcStatus,
        status.UNIMPLEMENTED,
        path,
      );
    }
    for (const path of ['/stats', '/config_dump', '/ready', '/quitquitquit', '/drain', '/drain_listeners', '/metrics']) {
      for (const host of ['localhost', 'admin']) {
        assert.equal((await sendHttp(mesh.edge, { path, headers: { host } })).status, 404, path);
      }
    }
  });

  it('ends a JSON request whose body does not come with 408, as google.rpc.Status', async () => {
    const [host = '', port] = mesh.edge.split(':');
    const socket = connect(Number(port), host);
    socket.write('POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{');
    const trickle = setInterval(() => socket.write(' '), 200); // idle it is not
    const start = performance.now();
    let answer = '';
    for await (const chunk of socket) {
      answer += chunk;
      if (answer.includes('}')) break;
    }
    clearInterval(trickle);
    assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*\{"code":4,/);
    assert.ok(performance.now() - start < 5000);
  });

  it('ends a gRPC-Web call whose body does not come with DEADLINE_EXCEEDED', async () => {
    const headers = { 'content-type': 'application/grpc-web+proto', 'grpc-timeout': '9S' };
    const sent = { method: 'POST', path: Users.getUser.path, headers };
    for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
      const { status: http, headers: answer } = await sendOpen(mesh.edge, sent, { version, ends: false }, 5000);
      assert.deepEqual([http, answer['grpc-status']], [200, String(status.DEADLINE_EXCEEDED)], version);
    }
  });

  it('refuses the calls above its rate and says when to try again, by gRPC and by JSON', async () => {
    const outcomes = await Promise.all(Array.from({ length: 3 * CALLS_PER_SECOND }, () => getUser().catch(error => error)));
    const refused = outcomes.filter(outcome => outcome instanceof RpcError);
    assert.ok(refused.length >= CALLS_PER_SECOND && refused.length < 3 * CALLS_PER_SECOND, `${refused.length} refused`);
    for (const error of refused) {
      assert.deepEqual([error.code, error.retryAfterMs], [status.RESOURCE_EXHAUSTED, 1000], error.message);
    }
    const get = () => sendHttp(mesh.edge, { path: '/api/users/123' });
    let late: HttpAnswer | undefined;
    for (let round = 0; round < 10 && !late; round++) {
      late = (await Promise.all(Array.from({ length: CONNECTIONS / 2 }, get))).find(answer => answer.status === 429);
    }
    assert.equal(late?.headers['retry-after'], '1');
    assert.deepEqual(late?.json(), {
      code: status.RESOURCE_EXHAUSTED,
      message: 'local_rate_limited',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1s' }],
    });
    const byWeb = () => sendHttp(mesh.edge, { method: 'POST', path: Users.getUser.path, headers: WEB, body: frame(request) });
    let lateByWeb: HttpAnswer | undefined;
    for (let round = 0; round < 10 && !lateByWeb; round++) {
      const answers = await Promise.all(Array.from({ length: CONNECTIONS / 2 }, byWeb));
      lateByWeb = answers.find(({ headers }) => headers['grpc-status'] === String(status.RESOURCE_EXHAUSTED));
    }
    assert.equal(lateByWeb?.status, 200);
    assert.ok(lateByWeb?.headers['grpc-status-details-bin']);
    await wait(1000); // the bucket
    await getUser();
  });

  it('takes no more connections than it may, and still says that it is ready', async () => {
    const [host = '', port] = mesh.edge.split(':');
    const sockets: Socket[] = [];
    const fill = async (count: number) => {
      for (let n = 0; n < count; n++)
        sockets.push(
          connect(Number(port), host)
            .on('error', () => {})
            .resume(),
        );
      await wait(300);
      return sockets.filter(socket => !socket.destroyed).length;
    };
    await fill(2 * CONNECTIONS);
    const left = await fill(CONNECTIONS); // in the places of what others have closed meanwhile
    assert.ok(left <= CONNECTIONS && left > CONNECTIONS / 2, `${left} are left`);
    assert.equal((await sendHttp(`${host}:15021`, { path: '/ready' })).status, 200);
    for (const socket of sockets) socket.destroy();
    const metric = 'envoy_listener_downstream_global_cx_overflow';
    assert.ok((await countedByEdge(mesh, `${metric}{envoy_listener_address="${host}_8080"}`)) > 0);
  });
});

/** The last line that the edge has logged for a path. */
async function logLine(mesh: TestMesh, path: string): Promise<Record<string, unknown>> {
  const file = mesh.pods('edge')[0]?.logFile('envoy') ?? '';
  for (const giveUp = Date.now() + 15_000; Date.now() < giveUp; await wait(200)) {
    const lines = (await readFile(file, 'utf8')).split('\n').filter(line => line.startsWith('{') && line.includes(path));
    const last = lines.at(-1);
    if (last) return JSON.parse(last);
  }
  throw new Error(`${file} has no line of ${path}`);
}
