import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { OrderServiceService, OrderState } from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { Step } from '../../proto/gen/telltale/script/v1/script.ts';
import { StorefrontServiceService } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import type { Client } from '../kit/client.ts';
import { deadlineIn } from '../kit/deadline.ts';
import { scriptMetadata } from '../kit/experiment.ts';
import { bind } from '../kit/server.ts';
import { emptyOrders, startServer, type TestServer, testService } from '../kit/testing.ts';
import { until, violates } from '../kit/testing-matchers.ts';
import { invalidRequest } from '../kit/validate.ts';
import { type OrdersTest, orderRequest, startOrders } from '../orders/testing-orders.ts';
import { createDirectory, DIRECTORY_SIZE } from '../users/directory.ts';
import { users } from '../users/users.ts';
import { storefront } from './storefront.ts';

const NOBODY = DIRECTORY_SIZE + 1;
const soon = () => ({ deadline: deadlineIn(5000) });

let usersServer: TestServer;
let others: OrdersTest;
let server: TestServer;
let client: Client<typeof StorefrontServiceService>;

before(async () => {
  usersServer = await startServer([bind(UserServiceService, users(createDirectory()))]);
  others = await startOrders();
  server = await startServer([binding()]);
  client = server.client(StorefrontServiceService);
});
after(async () => {
  for (const each of [server, others, usersServer]) await each[Symbol.asyncDispose]();
});

const binding = () =>
  bind(
    StorefrontServiceService,
    storefront({ users: usersServer.client(UserServiceService), orders: others.server.client(OrderServiceService) }),
  );

/** What each hop saw of a run, once the run's calls have stopped at all of these. */
async function recordsOf(run: string, ...hops: TestServer[]) {
  const found = () => hops.map(hop => hop.records.find(record => record.run === run));
  await until(() => found().every(record => record !== undefined));
  return found().flatMap(record => record ?? []);
}

/** Options of a call that marks its run and carries a script. */
const scripted = (run: string, ...steps: Partial<Step>[]) => ({ ...soon(), metadata: scriptMetadata(steps, run) });

testService(binding);

test('GetProfile returns the user and the newest orders up to the limit', async () => {
  const placed = [orderRequest({ userId: 42 }), orderRequest({ userId: 42 }), orderRequest({ userId: 42 })];
  for (const order of placed) await client.placeOrder({ order }, soon());
  const { user, orders } = await client.getProfile({ userId: 42, orderLimit: 2 }, soon());
  assert.equal(user?.id, 42);
  assert.equal(orders.length, 2);
  const all = await client.getProfile({ userId: 42, orderLimit: 0 }, soon());
  assert.deepEqual(all.orders.map(order => order.orderId).sort(), placed.map(order => order.orderId).sort());
  const alice = await client.getProfile({ userId: 123, orderLimit: 10 }, soon());
  assert.deepEqual([alice.user?.name, alice.user?.age], ['Alice', 30]);
});

test('GetProfile asks both services at the same time', async () => {
  const slow = ['users', 'orders'].map(service => ({ service, waitMs: 200 }));
  await client.getProfile({ userId: 1, orderLimit: 1 }, scripted('parallel', ...slow));
  const [first, second] = await recordsOf('parallel', usersServer, others.server);
  assert.ok(first && second);
  assert.ok(first.arrivedAt < second.endedAt && second.arrivedAt < first.endedAt);
});

test('GetProfile is NOT_FOUND for an id that nobody has, and does not wait for the orders any more', async () => {
  const asked = { userId: NOBODY, orderLimit: 0 };
  const options = scripted('nobody', { service: 'orders', waitMs: 4000 });
  await assert.rejects(client.getProfile(asked, options), { code: status.NOT_FOUND, reason: 'USER_NOT_FOUND' });
  const [record] = await recordsOf('nobody', others.server);
  assert.equal(record?.status, 'CANCELLED');
});

test('GetProfile fails with UNAVAILABLE of orders and cancels the call to users', async () => {
  const fail = { code: status.UNAVAILABLE, rate: 0 };
  const options = scripted('orders down', { service: 'orders', fail }, { service: 'users', waitMs: 4000 });
  await assert.rejects(client.getProfile({ userId: 1, orderLimit: 0 }, options), { code: status.UNAVAILABLE });
  const [record] = await recordsOf('orders down', usersServer);
  assert.equal(record?.status, 'CANCELLED');
});

test('GetProfile hides an error of another service that is not about the request', async () => {
  const fail = { code: status.PERMISSION_DENIED, rate: 0 };
  const call = client.getProfile({ userId: 1, orderLimit: 0 }, scripted('denied', { service: 'orders', fail }));
  await assert.rejects(call, { code: status.INTERNAL, message: 'internal error' });
});

test('GetProfile is INVALID_ARGUMENT and names both fields at once', async () => {
  await assert.rejects(client.getProfile({ userId: 0, orderLimit: -1 }, soon()), violates('user_id', 'order_limit'));
  await assert.rejects(client.getProfile({ userId: 1, orderLimit: 101 }, soon()), violates('order_limit'));
});

test('PlaceOrder has the order stored and paid for, with less of the deadline left at each hop', async () => {
  const asked = orderRequest();
  const { order } = await client.placeOrder({ order: asked }, scripted('chain'));
  assert.equal(order?.state, OrderState.PAID);
  assert.deepEqual(await client.placeOrder({ order: asked }, soon()), { order });
  const hops = await recordsOf('chain', server, usersServer, others.server, others.paymentsServer);
  const [first = 0, atUsers = 0, atOrders = 0, atPayments = 0] = hops.map(record => record.budgetMs ?? Infinity);
  assert.ok(first <= 5000 && first > atUsers && first > atOrders && atOrders > atPayments && atPayments > 4000);
});

test('PlaceOrder is NOT_FOUND for a user who is not there, and stores nothing', async () => {
  const order = orderRequest({ userId: NOBODY });
  await assert.rejects(client.placeOrder({ order }, soon()), { code: status.NOT_FOUND, reason: 'USER_NOT_FOUND' });
  await assert.rejects(others.client.getOrder({ orderId: order.orderId }, soon()), { code: status.NOT_FOUND });
});

test('PlaceOrder is ALREADY_EXISTS with ORDER_ID_REUSED for the id of another order', async () => {
  const order = orderRequest();
  await client.placeOrder({ order }, soon());
  const expected = { code: status.ALREADY_EXISTS, reason: 'ORDER_ID_REUSED' };
  await assert.rejects(client.placeOrder({ order: { ...order, userId: 1 } }, soon()), expected);
});

test('PlaceOrder is INVALID_ARGUMENT and names every bad field by its path in its own request', async () => {
  const order = orderRequest({ userId: 0, lines: [{ sku: '', quantity: 1, unitPriceMinor: 1n }], currencyCode: '' });
  const expected = violates('order.user_id', 'order.lines[0].sku', 'order.currency_code');
  await assert.rejects(client.placeOrder({ order }, soon()), expected);
  await assert.rejects(client.placeOrder({ order: undefined }, soon()), {
    code: status.INVALID_ARGUMENT,
    message: 'order: must be given, with order_id, user_id, lines, currency_code; it is missing',
  });
});

test('PlaceOrder names by its own paths what orders of a newer version, with more rules, refuse', async () => {
  const refuse = () => {
    throw invalidRequest([{ field: 'lines[0].sku', description: 'must be otherwise' }]);
  };
  await using newer = await startServer([bind(OrderServiceService, emptyOrders({ createOrder: refuse }))]);
  const dependencies = { users: usersServer.client(UserServiceService), orders: newer.client(OrderServiceService) };
  await using older = await startServer([bind(StorefrontServiceService, storefront(dependencies))]);
  const call = older.client(StorefrontServiceService).placeOrder({ order: orderRequest() }, soon());
  await assert.rejects(call, violates('order.lines[0].sku'));
});

test('PlaceOrder: when its caller gives up, every hop stops, nothing is charged, and the same request finishes it', async () => {
  const endings = [
    { run: 'cancelled', code: status.CANCELLED, limit: () => ({ signal: AbortSignal.timeout(150) }) },
    { run: 'expired', code: status.DEADLINE_EXCEEDED, limit: () => ({ deadline: deadlineIn(150) }) },
  ];
  for (const { run, code, limit } of endings) {
    const order = orderRequest();
    const options = { ...scripted(run, { service: 'payments', waitMs: 4000 }), ...limit() };
    await assert.rejects(client.placeOrder({ order }, options), { code });
    for (const record of await recordsOf(run, server, others.server, others.paymentsServer)) {
      assert.equal(record.status, status[code], record.method);
      assert.ok(record.stoppedAt - record.endedAt < 100, `${record.method} went on for nobody`);
    }
    const { orderId: idempotencyKey } = order;
    await assert.rejects(others.paymentsClient.getCharge({ idempotencyKey }, soon()), { code: status.NOT_FOUND });
    assert.equal((await client.placeOrder({ order }, soon())).order?.state, OrderState.PAID);
  }
});

test('WatchOrder relays the states of an order to the final one', async () => {
  const asked = orderRequest();
  const { signal } = new AbortController();
  await others.store.add(asked, signal);
  const states: (OrderState | undefined)[] = [];
  for await (const { order } of client.watchOrder({ orderId: asked.orderId }, soon())) {
    if (states.push(order?.state) === 1) await others.store.settle(asked.orderId, { state: OrderState.REFUSED }, signal);
  }
  assert.deepEqual(states, [OrderState.PENDING, OrderState.REFUSED]);
});

test('WatchOrder that is cancelled stops here and at orders', async () => {
  const asked = orderRequest();
  await others.store.add(asked, new AbortController().signal);
  for await (const _ of client.watchOrder({ orderId: asked.orderId }, scripted('watch'))) break;
  for (const record of await recordsOf('watch', server, others.server)) assert.equal(record.status, 'CANCELLED');
});

test('WatchOrder is NOT_FOUND for an id without an order, INVALID_ARGUMENT for what can be no id', async () => {
  const watch = (orderId: string) => Array.fromAsync(client.watchOrder({ orderId }, soon()));
  await assert.rejects(watch('none'), { code: status.NOT_FOUND, reason: 'ORDER_NOT_FOUND' });
  await assert.rejects(watch(''), violates('order_id'));
});
