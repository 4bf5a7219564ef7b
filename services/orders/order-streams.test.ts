import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { OrderServiceService, OrderState } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { deadlineIn } from '../kit/deadline.ts';
import { scriptMetadata } from '../kit/experiment.ts';
import { startServer } from '../kit/testing.ts';
import { until, violates } from '../kit/testing-matchers.ts';
import { type OrdersTest, orderRequest as request, startOrders } from './testing-orders.ts';

const soon = () => ({ deadline: deadlineIn(5000) });

let own: OrdersTest;
let client: OrdersTest['client'];
before(async () => {
  own = await startOrders();
  client = own.client;
});
after(() => own[Symbol.asyncDispose]());

test('ListOrders streams the newest orders of a user up to the limit, and none for a user without', async () => {
  const ids = Array.from({ length: 120 }, (_, index) => `listed-${index}`);
  for (const orderId of ids) await own.store.add(request({ orderId, userId: 7 }), new AbortController().signal);
  const list = async (limit: number) => Array.fromAsync(client.listOrders({ userId: 7, limit }, soon()));
  assert.equal((await list(0)).length, 100);
  assert.equal((await list(3)).length, 3);
  assert.equal(new Set((await list(10_000)).map(({ order }) => order?.orderId)).size, 120);
  assert.deepEqual(await Array.fromAsync(client.listOrders({ userId: 8, limit: 0 }, soon())), []);
});

test('ListOrders is INVALID_ARGUMENT for a user id and a limit out of range', async () => {
  const list = (userId: number, limit: number) => Array.fromAsync(client.listOrders({ userId, limit }, soon()));
  await assert.rejects(list(0, -1), violates('user_id', 'limit'));
  await assert.rejects(list(1, 10_001), violates('limit'));
});

test('ListOrders reads the store no faster than its caller reads, and stops when the caller has gone', async () => {
  let taken = 0;
  const large = request({
    lines: Array.from({ length: 200 }, () => ({ sku: 'x'.repeat(64), quantity: 1, unitPriceMinor: 1n })),
  });
  const order = (await own.store.add(large, new AbortController().signal)).order;
  await using slow = await startServer([
    own.bindOrders({
      ...own.store,
      async *list(_userId, limit) {
        while (taken < limit) {
          taken++;
          yield { ...order };
        }
      },
    }),
  ]);
  const options = { ...soon(), metadata: scriptMetadata([], 'slow reader') };
  for await (const _ of slow.client(OrderServiceService).listOrders({ userId: 1, limit: 10_000 }, options)) {
    for (let before = -1; before !== taken; await new Promise(resolve => setTimeout(resolve, 50))) before = taken;
    break;
  }
  await until(() => slow.records.length === 1);
  assert.equal(slow.records[0]?.status, 'CANCELLED');
  assert.ok(taken < 500, `${taken} orders of 14 kB were read for a caller who took one`);
});

test('WatchOrder streams the order as it is and at each change, and ends after a final state', async () => {
  const asked = request();
  const { signal } = new AbortController();
  await own.store.add(asked, signal);
  const states: (OrderState | undefined)[] = [];
  for await (const { order } of client.watchOrder({ orderId: asked.orderId }, soon())) {
    if (states.push(order?.state) === 1)
      await own.store.settle(asked.orderId, { state: OrderState.PAID, chargeId: 'c' }, signal);
  }
  assert.deepEqual(states, [OrderState.PENDING, OrderState.PAID]);
  const later = await Array.fromAsync(client.watchOrder({ orderId: asked.orderId }, soon()));
  assert.deepEqual(
    later.map(({ order }) => order?.state),
    [OrderState.PAID],
  );
});

test('WatchOrder ends with DEADLINE_EXCEEDED at its deadline and stops when it is cancelled', async () => {
  const asked = request();
  await own.store.add(asked, new AbortController().signal);
  const { orderId } = asked;
  const metadata = scriptMetadata([], 'watch');
  const watching = Array.fromAsync(client.watchOrder({ orderId }, { deadline: deadlineIn(300), metadata }));
  await assert.rejects(watching, { code: status.DEADLINE_EXCEEDED });
  for await (const _ of client.watchOrder({ orderId }, { ...soon(), metadata })) break;
  const ended = () => own.server.records.filter(({ run }) => run === 'watch');
  await until(() => ended().length === 2);
  assert.deepEqual(
    ended()
      .map(record => record.status)
      .sort(),
    ['CANCELLED', 'DEADLINE_EXCEEDED'],
  );
  for (const { stoppedAt, endedAt } of ended()) assert.ok(stoppedAt - endedAt < 100, 'the handler went on for nobody');
});

test('ImportOrders stores each order once, without a charge, and counts the new ones and those that were there', async () => {
  const imported = [request(), request(), request()];
  const send = () => imported.map(order => ({ order }));
  assert.deepEqual(await client.importOrders(send(), soon()), { storedCount: 3, duplicateCount: 0 });
  imported.push(request());
  assert.deepEqual(await client.importOrders(send(), soon()), { storedCount: 1, duplicateCount: 3 });
  assert.deepEqual(await client.importOrders([], soon()), { storedCount: 0, duplicateCount: 0 });
  const { order } = await client.getOrder({ orderId: imported[0]?.orderId ?? '' }, soon());
  assert.equal(order?.state, OrderState.PENDING);
});

test('ImportOrders names the first bad message by its index, and keeps those before it', async () => {
  const [good, other] = [request(), request()];
  const bad = [{ order: good }, { order: request({ userId: 0 }) }, { order: other }];
  await assert.rejects(client.importOrders(bad, soon()), violates('[1].order.user_id'));
  assert.ok((await client.getOrder({ orderId: good.orderId }, soon())).order);
  await assert.rejects(client.getOrder({ orderId: other.orderId }, soon()), { code: status.NOT_FOUND });
  const reused = [{ order: good }, { order: { ...good, userId: 9 } }];
  const expected = { code: status.ALREADY_EXISTS, reason: 'ORDER_ID_REUSED', message: /^\[1\]\.order\.order_id/ };
  await assert.rejects(client.importOrders(reused, soon()), expected);
  await assert.rejects(client.importOrders([{ order: undefined }], soon()), violates('[0].order'));
});

test('ImportOrders that is cancelled stops and keeps what was stored so far', async () => {
  const abort = new AbortController();
  const first = request();
  async function* endless() {
    yield { order: first };
    await until(async () => (await own.store.find(first.orderId, abort.signal)) !== undefined);
    abort.abort();
    await new Promise<never>(() => {});
  }
  const options = { ...soon(), signal: abort.signal, metadata: scriptMetadata([], 'import') };
  await assert.rejects(client.importOrders(endless(), options), { code: status.CANCELLED });
  await until(() => own.server.records.some(({ run }) => run === 'import'));
  assert.ok((await client.getOrder({ orderId: first.orderId }, soon())).order);
});

test('LookupOrders answers each id as it comes, in order, and one without an order with the id alone', async () => {
  const asked = request();
  const { order } = await own.store.add(asked, new AbortController().signal);
  const ids = [asked.orderId, 'none', '', '\0', asked.orderId];
  const answered: string[] = [];
  async function* oneByOne() {
    for (const [index, orderId] of ids.entries()) {
      await until(() => answered.length === index); // the answers do not wait for the end of the requests
      yield { orderId };
    }
  }
  for await (const answer of client.lookupOrders(oneByOne(), soon())) {
    answered.push(answer.orderId);
    assert.deepEqual(answer.order, answer.orderId === asked.orderId ? order : undefined);
  }
  assert.deepEqual(answered, ids);
});

test('LookupOrders stops when its caller has gone', async () => {
  async function* waiting() {
    yield { orderId: 'none' };
    await new Promise<never>(() => {});
  }
  const options = { ...soon(), metadata: scriptMetadata([], 'lookup') };
  for await (const _ of client.lookupOrders(waiting(), options)) break;
  await until(() => own.server.records.some(({ run }) => run === 'lookup'));
});
