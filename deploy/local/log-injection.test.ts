import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { frame, rawCall } from '../../services/kit/testing-raw-call.ts';
import { request as alice } from './testing-bad-calls.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

/** What ends a line, or commands a terminal, in some reader of a log. */
const CHARACTERS: Record<string, string> = {
  crlf: '\r\n',
  lf: '\n',
  esc: '\u001b[2K\u001b[1A',
  csi: '\u009b2K',
  nel: '\u0085',
  ls: '\u2028',
  nul: '\0',
};
const TEXT_CONTROLS = /[\p{Cc}\u2028\u2029]/u;
/** What no header may have; the rest is text to HTTP. */
const HEADER_CONTROLS = /(?![\u0080-\u009f])\p{Cc}/u;

/** A text that says where it was planted, and goes on with a line of its own. */
const planted = (name: string, where: string) => `planted-${name}-${where}${CHARACTERS[name]}{"forged":"${name}"}`;
/** The same as a header, whose characters are bytes. */
const header = (name: string, where: string) => Buffer.from(planted(name, where)).toString('latin1');

/** The lines of a log that are not one event each: no JSON, made by what was planted, or with a character that was. */
function wrongLines(log: string, controls: RegExp): string[] {
  const lines = log.split('\n').filter(line => /planted|forged/.test(line) || controls.test(line));
  return lines.filter(line => controls.test(line) || !isEvent(line));
}

function isEvent(line: string): boolean {
  try {
    const event: unknown = JSON.parse(line);
    return typeof event === 'object' && event !== null && 'time' in event && !('forged' in event);
  } catch {
    return false;
  }
}

/** Sends text as it is to an address, whatever it answers. */
async function sendText(address: string, request: string): Promise<void> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host).setTimeout(5000, () => socket.destroy());
  socket.write(request, 'latin1');
  await text(socket).catch(() => '');
}

/** Headers that a log, or what writes one, looks at; the path and the authority among them. */
function headersWith(name: string): Record<string, string>[] {
  const keys = [
    'telltale-run',
    'telltale-script-bin',
    'telltale-policy',
    'grpc-timeout',
    'grpc-encoding',
    'user-agent',
    'x-request-id',
  ];
  const more = ['authorization', 'traceparent', 'x-envoy-attempt-count', 'x-envoy-original-path', 'referer', ':authority'];
  return [
    ...[...keys, ...more].map(key => ({ [key]: header(name, key) })),
    { ':path': `${Users.getUser.path}${header(name, 'path')}` },
    { 'content-type': `application/grpc;${header(name, 'type')}` },
  ];
}

/** Plants a character in every place that a caller has for it; resolves when all is answered, or nothing has come for five seconds. */
async function plant(mesh: TestMesh, name: string): Promise<void> {
  const [users = '', orders = ''] = ['users', 'orders'].map(service => `${mesh.pods(service)[0]?.address}:50052`);
  const order = { orderId: planted(name, 'id'), userId: 0, lines: [], currencyCode: planted(name, 'message') };
  const body = JSON.stringify({ order_id: planted(name, 'json'), user_id: 0, currency_code: planted(name, 'code') });
  const posted = { method: 'POST', path: '/api/orders', headers: { 'content-type': 'application/json' }, body };
  const value = header(name, 'text');
  const lines = [
    [value, '/api/users/123', 'x', 'x'],
    ['GET', `/api/users/${value}`, 'x', 'x'],
    ['GET', '/api/users/123', value, 'x'],
    ['GET', '/api/users/123', 'x', value],
  ];
  await Promise.allSettled([
    rawCall(orders, { ':path': Orders.createOrder.path }, frame(Orders.createOrder.requestSerialize(order))),
    sendHttp(mesh.edge, posted),
    sendHttp(mesh.edge, { path: `/api/orders/${encodeURIComponent(planted(name, 'escaped'))}` }),
    ...headersWith(name).flatMap(headers =>
      [mesh.edge, users].map(address => rawCall(address, { ':path': Users.getUser.path, ...headers }, frame(alice))),
    ),
    ...lines.map(([method, path, host, run]) =>
      sendText(mesh.edge, `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\ntelltale-run: ${run}\r\nconnection: close\r\n\r\n`),
    ),
  ]);
}

describe('log injection', () => {
  /** The text of each log after everything, by the container's name. */
  const logs: { container: string; pod: string; log: string }[] = [];
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh({ values: ['--set', 'logLevel=trace'] });
    await Promise.all(Object.keys(CHARACTERS).map(name => plant(mesh, name)));
    const files = [...mesh.pods('edge'), ...mesh.all()].flatMap(pod =>
      pod.containers.map(({ name }) => ({ container: name, pod: pod.name, file: pod.logFile(name) })),
    );
    await mesh.stop(); // Envoy writes its log every ten seconds, and at its end
    for (const { file, ...rest } of files) logs.push({ ...rest, log: readFileSync(file, 'utf8') });
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const of = (container: string) => logs.filter(each => each.container === container);
  const linesWith = (container: string, mark: string) =>
    of(container).flatMap(({ log }) => log.split('\n').filter(line => line.includes(mark)));

  it('makes no line in the log of an app, nor a character in one that a terminal obeys', () => {
    assert.ok(of('app').length >= 8);
    for (const { pod, log } of of('app')) assert.deepEqual(wrongLines(log, TEXT_CONTROLS), [], pod);
  });

  it('makes no line in the log of an Envoy, whose strings keep what is legal in a header', () => {
    assert.ok(of('envoy').length >= 9);
    for (const { pod, log } of of('envoy')) assert.deepEqual(wrongLines(log, HEADER_CONTROLS), [], pod);
  });

  for (const name of Object.keys(CHARACTERS)) {
    it(`${name} in a message or a path is one event, which has it as text`, () => {
      const [refused = '{}', ...more] = linesWith('app', `planted-${name}-message`);
      assert.deepEqual(more, []);
      assert.ok(JSON.parse(refused).says.includes(JSON.stringify(planted(name, 'message')).slice(1, 30)), refused);
      const paths = linesWith('envoy', `planted-${name}-escaped`).map(line => JSON.parse(line));
      const atEdge = paths.filter(({ listener }) => listener === 'edge').map(({ path }) => decodeURIComponent(path));
      assert.deepEqual(atEdge, [`/api/orders/${planted(name, 'escaped')}`]);
    });
  }

  it('metadata that are no legal text are named in the log of the app, without their value', () => {
    const named = linesWith('app', '"from":"grpc-js"').map(line => JSON.parse(line).msg as string);
    assert.ok(named.includes('Failed to add metadata entry authorization: its value is no legal text'), named.join('\n'));
    assert.deepEqual(linesWith('app', '-authorization'), []);
  });

  it('is found in a log that writes what it is given', () => {
    for (const name of Object.keys(CHARACTERS)) {
      const log = `{"time":"now","says":"before"}\ntime=now says=${planted(name, 'message')}\n`;
      assert.notDeepEqual(wrongLines(log, TEXT_CONTROLS), [], name);
      assert.notDeepEqual(
        wrongLines(`{"time":"now","says":"${planted(name, 'x').replace(/\{.*/, '')}"}\n`, TEXT_CONTROLS),
        [],
        name,
      );
    }
  });
});
