import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, constants, createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { WatchOrderResponse } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { ORDER } from '../../services/kit/testing.ts';
import { until } from '../../services/kit/testing-matchers.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';
import type { KubeObject } from './manifest.ts';
import { type Mesh, startMesh } from './mesh.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

/** Reads a stream as JSON to its end; rejects when it is cut, by HTTP/1.1 before the last chunk, by HTTP/2 with a reset. */
type Read = (edge: string, path: string, headers?: Record<string, string>, onData?: () => void) => Promise<string>;

const byHttp1: Read = async (edge, path, headers = {}, onData = () => {}) =>
  (await sendHttp(edge, { path, headers, onData })).text;

const byHttp2: Read = async (edge, path, headers = {}, onData = () => {}) => {
  const session = connect(`http://${edge}`);
  try {
    const stream = session.request({ ':path': path, ...headers });
    stream.on('data', onData);
    const read = await text(stream); // rejects when the stream is reset
    return read;
  } finally {
    session.destroy();
  }
};

/** Does it the first time only. */
const onlyOnce = (act: () => void) => {
  let left = 1;
  return () => {
    if (left-- > 0) act();
  };
};

/** What tells the reader of an answer that it is not whole. */
const CUT = /aborted|Stream closed with error code/;

const protocols = { 'HTTP/1.1': byHttp1, 'HTTP/2': byHttp2 };

interface Failed {
  error: { code: number; message: string; details: unknown[] };
}

/** The last element of an array, when it says that the stream has failed. */
function errorIn(answer: string): Failed['error'] | undefined {
  const last = (JSON.parse(answer) as (Partial<Failed> | undefined)[]).at(-1);
  return last?.error;
}

describe('a stream of the mesh as JSON', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh({ values: ['--set', 'drain.timeoutMs=500'] });
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  /** The path of an order that stays pending: whoever watches it waits. */
  async function pendingOrder(): Promise<string> {
    const orderId = randomUUID();
    const orders = mesh.client(Orders, mesh.pods('storefront')[0]);
    await orders.importOrders([{ order: { ...ORDER, orderId } }], { deadline: deadlineIn(5000) });
    return `/api/orders/${orderId}`;
  }

  for (const [protocol, read] of Object.entries(protocols)) {
    it(`that has ended is an array of its messages, over ${protocol}`, async () => {
      const body = JSON.stringify({
        order_id: randomUUID(),
        user_id: 1,
        lines: [{ sku: 'x', quantity: 1 }],
        currency_code: 'EUR',
      });
      const headers = { 'content-type': 'application/json' };
      const placed = await sendHttp(mesh.edge, { method: 'POST', path: '/api/orders', headers, body });
      const { order } = placed.json() as { order: { order_id: string } };
      assert.deepEqual(JSON.parse(await read(mesh.edge, `/api/orders/${order.order_id}`)), [{ order }]);
    });

    it(`whose deadline passes says so in the last element, over ${protocol}`, async () => {
      const answer = await read(mesh.edge, await pendingOrder(), { 'grpc-timeout': '300m' });
      assert.equal(JSON.parse(answer).length, 2);
      assert.equal(errorIn(answer)?.code, 4, answer);
    });

    it(`that breaks off behind storefront says so in the last element, over ${protocol}`, async () => {
      const path = await pendingOrder();
      await killing('orders', async kill => {
        const answer = await read(mesh.edge, path, {}, onlyOnce(kill));
        assert.equal(errorIn(answer)?.code, 14, answer);
      });
    });

    it(`of an app that is drained says so in the last element, over ${protocol}`, async () => {
      const path = await pendingOrder();
      let restarted: Promise<void> | undefined;
      const answer = await read(mesh.edge, path, {}, () => {
        restarted ??= mesh.restart('storefront');
      });
      assert.equal(errorIn(answer)?.code, 14, answer);
      await restarted;
      await mesh.whenReady();
    });

    it(`whose app is killed is cut, over ${protocol}`, async () => {
      const path = await pendingOrder();
      await killing('storefront', async kill => {
        await assert.rejects(read(mesh.edge, path, {}, onlyOnce(kill)), CUT);
      });
    });
  }

  it('that fails before its first message has the HTTP status of its error', async () => {
    const answer = await sendHttp(mesh.edge, { path: '/api/orders/none' });
    assert.deepEqual([answer.status, (answer.json() as { code: number }).code], [404, 5]);
  });

  /** Kills the apps of a service while a stream is read, and waits until others have taken their places. */
  async function killing(service: string, read: (kill: () => void) => Promise<unknown>): Promise<void> {
    const apps = () => mesh.pods(service).flatMap(({ containers }) => containers.filter(({ name }) => name === 'app'));
    const before = apps().map(({ pid }) => pid);
    await read(() => {
      for (const { name } of mesh.pods(service)) mesh.killContainer(name, 'app', 'SIGKILL');
    });
    await until(() => apps().every(({ pid }) => pid !== undefined && !before.includes(pid)));
    await mesh.whenReady();
    await until(async () => (await sendHttp(mesh.edge, { path: '/api/orders/none' })).status === 404);
  }
});

/** Where the server of the test's own listens. The runner makes 127.0.0.1 the address of the pod. */
const HOST = '127.0.0.2';

describe('a stream of whatever kind as JSON', () => {
  let serve: (stream: ServerHttp2Stream, send: (message: Buffer) => void) => void;
  const server = createServer();
  const sessions = new Set<Http2Session>();
  let mesh: Mesh;
  let runDir: string;

  /** The edge alone, with a server of the test's own in the place of storefront. */
  const edgeAlone = (objects: KubeObject[]): KubeObject[] => {
    const { port } = server.address() as AddressInfo;
    const config = objects.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'edge-envoy',
    ) as KubeObject & {
      data: Record<string, string>;
    };
    const envoy = parse(config.data['envoy.yaml'] ?? '');
    const address = { socket_address: { address: HOST, port_value: port } };
    const cluster = {
      name: 'storefront',
      type: 'STATIC',
      load_assignment: { cluster_name: 'storefront', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
    };
    const clusters = envoy.static_resources.clusters as { name: string }[];
    clusters.splice(
      clusters.findIndex(({ name }) => name === 'storefront'),
      1,
      cluster,
    );
    config.data['envoy.yaml'] = stringify(envoy);
    return objects.filter(({ kind, metadata }) => kind !== 'Deployment' || metadata.name === 'edge');
  };

  before(async () => {
    server.on('session', session => sessions.add(session));
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {});
      stream.resume().once('end', () => {
        serve(stream, message => stream.write(frame(message)));
      });
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    runDir = await mkdtemp(join(tmpdir(), 'telltale-stream-'));
    mesh = await startMesh({ runDir, transform: edgeAlone });
    await mesh.whenReady();
  });
  after(async () => {
    await mesh?.stop(0);
    await rm(runDir, { recursive: true, force: true });
    server.close();
  });

  const message = (sku = 'x') =>
    Buffer.from(WatchOrderResponse.encode(WatchOrderResponse.fromPartial({ order: { lines: [{ sku }] } })).finish());

  /** Answers with so many messages and these trailers. */
  const answering = (messages: Buffer[], trailers: Record<string, string>) => {
    serve = (stream, send) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers(trailers));
      for (const each of messages) send(each);
      stream.end();
    };
  };
  const watch = (read: Read) => read(mesh.edge, '/api/orders/any');

  for (const [protocol, read] of Object.entries(protocols)) {
    it(`gives every status but OK, over ${protocol}`, async () => {
      for (let code = 0; code <= 17; code++) {
        answering([message()], { 'grpc-status': String(code), 'grpc-message': `code ${code}` });
        const answer = await watch(read);
        assert.equal(JSON.parse(answer).length, code === 0 ? 1 : 2);
        const expected = code === 0 ? undefined : { code, message: `code ${code}`, details: [] };
        assert.deepEqual(errorIn(answer), expected);
      }
    });

    it(`is cut, or says so, when its server resets it, over ${protocol}`, async () => {
      for (const code of [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_INTERNAL_ERROR, constants.NGHTTP2_CANCEL]) {
        serve = (stream, send) => {
          stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
          send(message());
          setImmediate(() => stream.close(code)); // Node ends the stream without trailers before it resets it
        };
        const told = await watch(read).then(errorIn, (cut: Error) => CUT.test(cut.message));
        assert.ok(told, `${code}`);
      }
    });

    it(`is cut when the connection to its server is, over ${protocol}`, async () => {
      serve = (stream, send) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        send(message());
      };
      const cut = read(mesh.edge, '/api/orders/any', {}, () => {
        for (const session of sessions) session.destroy();
      });
      await assert.rejects(cut, CUT);
    });
  }

  it('keeps every text of a status, as JSON', async () => {
    const texts = ['', 'quotes " and \\ back', 'a\nb\t\0\x7f', 'é帆🧵', '100 %', '\u2028', '"}]', 'x'.repeat(5000)];
    for (const said of texts) {
      answering([message()], { 'grpc-status': '13', 'grpc-message': encodeURIComponent(said) });
      assert.equal(errorIn(await watch(byHttp1))?.message, said);
    }
    for (const [sent, said] of Object.entries({
      'bad %zz %4': 'bad %zz %4',
      '%ff%c3x': '\ufffd\ufffdx',
      '%c3%a9%ed%a0%80': 'é\ufffd\ufffd\ufffd',
      '%f4%90%80%80%c0%af': '\ufffd'.repeat(6),
      '%e5%b8%86%f0%9f%a7%b5%f0%9f': '帆🧵\ufffd\ufffd',
    })) {
      answering([message()], { 'grpc-status': '13', 'grpc-message': sent });
      assert.equal(errorIn(await watch(byHttp2))?.message, said);
    }
  });

  it('has its error after large messages, after many, and after none', async () => {
    const large = 'x'.repeat(1_000_000);
    for (const messages of [[], [message(large)], Array(5).fill(message(large)), Array(2000).fill(message())] as Buffer[][]) {
      answering(messages, { 'grpc-status': '8' });
      const answer = await watch(byHttp1);
      assert.equal(JSON.parse(answer).length, messages.length + 1);
      assert.equal(errorIn(answer)?.code, 8);
      answering(messages, { 'grpc-status': '0' });
      assert.equal(JSON.parse(await watch(byHttp1)).length, messages.length);
    }
  });

  it('has its error when its server gives no status, or none that is one', async () => {
    for (const trailers of [{ 'x-end': 'yes' }, { 'grpc-status': 'x' }, { 'grpc-status': '' }, { 'grpc-status': '-1' }]) {
      answering([message()], trailers as Record<string, string>);
      assert.equal(errorIn(await watch(byHttp1))?.code, 2, JSON.stringify(trailers));
    }
    for (const messages of [[], [message()], [message(), message()]]) {
      serve = (stream, send) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        for (const each of messages) send(each);
        stream.end();
      };
      const answer = await watch(byHttp1);
      assert.deepEqual([JSON.parse(answer).length, errorIn(answer)?.code], [messages.length + 1, 2]);
    }
  });

  it('without messages has the HTTP status of its own status', async () => {
    for (const [code, http, answer] of [
      ['0', 200, []],
      ['5', 404, { code: 5, message: 'none', details: [] }],
      ['14', 503, { code: 14, message: 'none', details: [] }],
    ] as const) {
      const headers = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code, 'grpc-message': 'none' };
      serve = stream => stream.respond(headers, { endStream: true });
      const came = await sendHttp(mesh.edge, { path: '/api/orders/any' });
      assert.deepEqual([came.status, came.json()], [http, answer]);
    }
  });

  it('is cut when its server ends it within a message', async () => {
    serve = stream => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write(frame(message()));
      stream.end(frame(message()).subarray(0, 7));
    };
    await assert.rejects(watch(byHttp1), CUT);
    await assert.rejects(watch(byHttp2), CUT);
  });
});
