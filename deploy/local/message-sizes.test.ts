import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import {
  CreateOrderRequest,
  type ImportOrdersRequest,
  OrderServiceService as Orders,
} from '../../proto/gen/telltale/orders/v1/orders.ts';
import {
  PlaceOrderRequest,
  StorefrontServiceService as Storefront,
} from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { HELD_BYTES, MAX_ANSWER_BYTES } from '../../services/kit/answer.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { SCRIPT_KEY, scriptMetadata } from '../../services/kit/experiment.ts';
import { frame, type RawAnswer, rawCall } from '../../services/kit/testing-raw-call.ts';
import type { KubeObject } from './manifest.ts';
import { request } from './testing-bad-calls.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

const MIB = 2 ** 20;
/** The longest request of PlaceOrder and of CreateOrder, and the longest body of a JSON request. */
const MAX_REQUEST_BYTES = MIB;
const MAX_JSON_BYTES = MIB;
/** What the answer to GetUser(123) takes without padding. */
const ALICE_BYTES = 11;
/** The key of the field that pads an answer. */
const PADDING_KEY_BYTES = 3;
/** What one step of a script may pad. */
const MAX_PAD_BYTES = 3 * MIB;

const around = (bytes: number) => [bytes - 1, bytes, bytes + 1];
const answerSizes = [...around(HELD_BYTES), ...around(MIB), MAX_ANSWER_BYTES - 1, MAX_ANSWER_BYTES];
const contentTypes = { gRPC: 'application/grpc', 'gRPC-Web': 'application/grpc-web+proto' };

/** The header that has users answer GetUser(123) with a message of so many bytes. */
function padTo(bytes: number): Record<string, string> {
  const rest = bytes - ALICE_BYTES - PADDING_KEY_BYTES;
  const pad = rest - [1, 2, 3, 4].findIndex(length => rest - length < 2 ** (7 * length)) - 1; // after its length, a varint
  const steps = [];
  for (let left = pad; left > 0; left -= MAX_PAD_BYTES)
    steps.push({ service: 'users', padBytes: Math.min(left, MAX_PAD_BYTES) });
  const [script] = scriptMetadata(steps).get(SCRIPT_KEY);
  return { [SCRIPT_KEY]: (script as Buffer).toString('base64') };
}

/** The length that the first message of an answer says it has, if all of it is there. */
function messageBytes({ body }: RawAnswer): number {
  const bytes = body.readUInt32BE(1);
  assert.ok(body.length >= bytes + 5, `${body.length} of ${bytes + 5} bytes`);
  return bytes;
}

/** The status in the headers, in the trailers, or in the last frame of gRPC-Web. */
function statusOf({ grpcStatus, body }: RawAnswer): number {
  return Number.isNaN(grpcStatus)
    ? Number(/grpc-status: ?(\d+)/.exec(body.subarray(-2000).toString('latin1'))?.[1])
    : grpcStatus;
}

/** A field that nobody knows, so many bytes long: two or more. */
function filler(bytes: number): Buffer {
  const odd = bytes % 2 === 1 ? Buffer.from([0x78, 0x80, 0]) : Buffer.alloc(0);
  return Buffer.concat([odd, Buffer.alloc(bytes - odd.length, '7800', 'hex')]);
}

const order = (orderId: string, sku = 'sail', lines = 1, userId = 123) => ({
  orderId,
  userId,
  lines: Array.from({ length: lines }, () => ({ sku, quantity: 1, unitPriceMinor: 100n })),
  currencyCode: 'EUR',
});

describe('every size that the contracts allow', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  /** The ways to a service: by the edge, and as another pod calls it. */
  const way = (by: 'edge' | 'sidecar', name: string): [address: string, headers: Record<string, string>] =>
    by === 'edge' ? [mesh.edge, {}] : [`${mesh.pods('storefront')[0]?.address}:15001`, { ':authority': name }];
  const getUser = ([address, headers]: ReturnType<typeof way>, type: string, bytes: number) =>
    rawCall(address, { ':path': Users.getUser.path, 'content-type': type, ...headers, ...padTo(bytes) }, frame(request));

  for (const [by, protocol] of [
    ['edge', 'gRPC'],
    ['edge', 'gRPC-Web'],
    ['sidecar', 'gRPC'],
  ] as const) {
    for (const bytes of answerSizes) {
      it(`an answer of ${bytes} bytes passes by the ${by} over ${protocol}`, async () => {
        const answer = await getUser(way(by, 'users'), contentTypes[protocol], bytes);
        assert.deepEqual([statusOf(answer), messageBytes(answer), answer.resetCode], [status.OK, bytes, 0]);
      });
    }

    it(`an answer of one byte more is RESOURCE_EXHAUSTED by the ${by} over ${protocol}, with its limit`, async () => {
      const answer = await getUser(way(by, 'users'), contentTypes[protocol], MAX_ANSWER_BYTES + 1);
      assert.deepEqual([statusOf(answer), answer.body.length], [status.RESOURCE_EXHAUSTED, 0]);
      assert.match(answer.grpcMessage, new RegExp(`${MAX_ANSWER_BYTES + 1} bytes is too long.* at most ${MAX_ANSWER_BYTES};`));
    });
  }

  for (const bytes of answerSizes) {
    it(`an answer of ${bytes} bytes passes as JSON`, async () => {
      const answer = await sendHttp(mesh.edge, { path: '/api/users/123', headers: padTo(bytes) });
      assert.deepEqual([answer.status, answer.json()], [200, { id: 123, name: 'Alice', age: 30 }]);
    });
  }

  it('an answer of one byte more is 429 as JSON, with its limit', async () => {
    const answer = await sendHttp(mesh.edge, { path: '/api/users/123', headers: padTo(MAX_ANSWER_BYTES + 1) });
    const { code, message } = answer.json() as { code: number; message: string };
    assert.deepEqual([answer.status, code], [429, status.RESOURCE_EXHAUSTED]);
    assert.match(message, new RegExp(`at most ${MAX_ANSWER_BYTES};`));
  });

  for (const [by, protocol] of [
    ['edge', 'gRPC'],
    ['edge', 'gRPC-Web'],
    ['sidecar', 'gRPC'],
  ] as const) {
    const [name, { path }] = by === 'edge' ? ['storefront', Storefront.placeOrder] : ['orders', Orders.createOrder];
    const place = async (bytes: number) => {
      const placed = order(`sized-${by}-${protocol}-${bytes}`);
      const message = Buffer.from(
        by === 'edge' ? PlaceOrderRequest.encode({ order: placed }).finish() : CreateOrderRequest.encode(placed).finish(),
      );
      const [address, headers] = way(by, name);
      const all = frame(Buffer.concat([message, filler(bytes - message.length)]));
      return rawCall(address, { ':path': path, 'content-type': contentTypes[protocol], ...headers }, all);
    };
    for (const bytes of [...around(HELD_BYTES), MAX_REQUEST_BYTES - 1, MAX_REQUEST_BYTES]) {
      it(`a request of ${bytes} bytes passes by the ${by} over ${protocol}`, async () => {
        assert.equal(statusOf(await place(bytes)), status.OK);
      });
    }
    for (const bytes of [MAX_REQUEST_BYTES + 1, 4 * MIB, 4 * MIB + 1, 8 * MIB]) {
      it(`a request of ${bytes} bytes is RESOURCE_EXHAUSTED by the ${by} over ${protocol}, with its limit`, async () => {
        const answer = await place(bytes);
        assert.equal(statusOf(answer), status.RESOURCE_EXHAUSTED);
        assert.match(answer.grpcMessage, bytes > 4 * MIB ? /4194304/ : new RegExp(`takes at most ${MAX_REQUEST_BYTES};`));
      });
    }
  }

  for (const bytes of [...around(HELD_BYTES), MAX_JSON_BYTES - 1, MAX_JSON_BYTES, MAX_JSON_BYTES + 1, 4 * MIB]) {
    const passes = bytes <= MAX_JSON_BYTES;
    it(`a JSON request of ${bytes} bytes ${passes ? 'passes' : 'is 413, with its limit'}`, async () => {
      const { orderId: order_id, userId: user_id, currencyCode: currency_code } = order(`sized-json-${bytes}`);
      const lines = [{ sku: 'sail', quantity: 1, unit_price_minor: '100' }];
      const body = JSON.stringify({ order_id, user_id, currency_code, lines }).padEnd(bytes);
      const headers = { 'content-type': 'application/json' };
      const answer = await sendHttp(mesh.edge, { method: 'POST', path: '/api/orders', headers, body });
      assert.equal(answer.status, passes ? 200 : 413, answer.text);
      if (passes) return;
      const { code, message } = answer.json() as { code: number; message: string };
      assert.equal(code, status.RESOURCE_EXHAUSTED);
      assert.match(message, new RegExp(`at most ${MAX_JSON_BYTES} bytes`));
    });
  }

  /** Stores 100 orders of 200 lines for a user: as many as a profile shows. */
  async function storeMost(userId: number, sku: string): Promise<void> {
    const orders = mesh.client(Orders, mesh.pods('storefront')[0]);
    const each = function* (): Generator<ImportOrdersRequest> {
      for (let n = 0; n < 100; n++) yield { order: order(`most-${userId}-${n}`, sku, 200, userId) };
    };
    await orders.importOrders(each(), { deadline: deadlineIn(30_000) });
  }
  const profile = (userId: number) =>
    sendHttp(mesh.edge, { path: `/api/users/${userId}/profile?order_limit=100`, headers: { 'grpc-timeout': '9S' } });

  it('the longest profile whose JSON is six times as long as it passes', async t => {
    await storeMost(1001, '<'.repeat(64)); // in Envoy's JSON: \u003c
    const answer = await profile(1001);
    t.diagnostic(`${answer.text.length} bytes of JSON`);
    assert.equal(answer.status, 200, answer.text.slice(0, 200));
    const { orders } = answer.json() as { orders: { lines: { sku: string }[] }[] };
    assert.deepEqual([orders.length, orders.at(-1)?.lines.length, orders[0]?.lines[0]?.sku], [100, 200, '<'.repeat(64)]);
  });

  it('a profile that no caller would take is RESOURCE_EXHAUSTED', async () => {
    await storeMost(1002, '😀'.repeat(64));
    const storefront = mesh.client(Storefront);
    await assert.rejects(storefront.getProfile({ userId: 1002, orderLimit: 100 }, { deadline: deadlineIn(9000) }), {
      code: status.RESOURCE_EXHAUSTED,
      message: /GetProfile sends at most 4194304; ask for less at once/,
    });
    assert.equal((await profile(1002)).status, 429);
  });

  it('of a stream a message of 4 MiB passes, and one byte more is RESOURCE_EXHAUSTED', async () => {
    const orders = mesh.client(Orders, mesh.pods('storefront')[0]);
    await orders.importOrders([{ order: order('of-a-stream', 'sail', 1, 1003) }], { deadline: deadlineIn(5000) });
    const list = async (padBytes: number) => {
      const steps = [MAX_PAD_BYTES, padBytes - MAX_PAD_BYTES].map(each => ({ service: 'orders', padBytes: each }));
      const limits = { deadline: deadlineIn(9000), metadata: scriptMetadata(steps) };
      return await Array.fromAsync(orders.listOrders({ userId: 1003, limit: 1 }, limits));
    };
    assert.equal((await list(MAX_ANSWER_BYTES - 200)).length, 1);
    await assert.rejects(list(MAX_ANSWER_BYTES), {
      code: status.RESOURCE_EXHAUSTED,
      message: /ListOrders sends at most 4194304;/,
    });
  });

  it('20 answers of 4 MiB that are not read make no Envoy hold more than 1 MiB of each', async t => {
    const [host, other] = [mesh.pods('storefront')[0]?.address, ...mesh.pods('users').map(({ address }) => address)];
    const envoys = [host, other, mesh.pods('users')[1]?.address];
    const allocated = () =>
      Promise.all(
        envoys.map(async address => {
          const answer = await sendHttp(`${address}:15000`, { path: '/memory' });
          return Number((answer.json() as { allocated: string }).allocated) / MIB;
        }),
      );
    const was = await allocated();
    const session = connect(`http://${host}:15001`);
    const streams = Array.from({ length: 20 }, () => {
      const headers = { ':method': 'POST', ':path': Users.getUser.path, ':authority': 'users', te: 'trailers' };
      const stream = session.request({
        ...headers,
        'content-type': 'application/grpc',
        'grpc-timeout': '9S',
        ...padTo(4 * MIB),
      });
      stream.on('error', () => {});
      stream.end(frame(request));
      return stream;
    });
    await Promise.all(streams.map(stream => new Promise(resolve => stream.once('response', resolve)))); // and not read on
    const grown = (await allocated()).map((mib, n) => mib - (was[n] ?? Number.NaN));
    t.diagnostic(`the Envoys have grown by ${grown.map(mib => mib.toFixed(1)).join(', ')} MiB`);
    assert.ok(Math.max(...grown) < 20);
    session.destroy();
  });
});

describe('an answer that is longer than an Envoy may hold', () => {
  const LIMIT = 2 * MIB;
  let mesh: TestMesh;
  /** What the kit says has another name, as an app in another language says nothing; sidecars hold no more than 2 MiB, the edge 1 KiB. */
  const unsaid = (objects: KubeObject[]): KubeObject[] => {
    const text = JSON.stringify(objects);
    const changed = text
      .replaceAll('telltale-pass-on', 'telltale-unsaid')
      .replaceAll('request_body_buffer_limit: 4194309', `request_body_buffer_limit: ${LIMIT}`)
      .replaceAll('max_response_body_size: 16777216', 'max_response_body_size: 1024');
    assert.notEqual(changed, text);
    return JSON.parse(changed);
  };
  before(async () => {
    mesh = await startTestMesh({ transform: unsaid });
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const getUser = (bytes: number) => rawCall(mesh.edge, { ':path': Users.getUser.path, ...padTo(bytes) }, frame(request));

  it('passes up to what a sidecar may hold, although its app does not say how long it is', async () => {
    for (const bytes of [...around(HELD_BYTES), MIB]) {
      const answer = await getUser(bytes);
      assert.deepEqual([answer.grpcStatus, messageBytes(answer)], [status.OK, bytes]);
    }
  });

  it('is RESOURCE_EXHAUSTED at the sidecar above that, with the limit', async () => {
    const answer = await getUser(3 * MIB);
    assert.deepEqual([answer.grpcStatus, answer.body.length], [status.RESOURCE_EXHAUSTED, 0]);
    assert.match(answer.grpcMessage, /too long: at most 4194304 bytes/);
  });
  it('is 429 as JSON at the edge, with the limit', async () => {
    const answer = await sendHttp(mesh.edge, { path: '/api/users?page_size=1000' });
    const { code, message } = answer.json() as { code: number; message: string };
    assert.deepEqual([answer.status, code], [429, status.RESOURCE_EXHAUSTED]);
    assert.match(message, /a JSON answer is too large: at most 16777216 bytes/);
  });
});
