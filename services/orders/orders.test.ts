import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { OrderServiceService, OrderState } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { deadlineIn } from '../kit/deadline.ts';
import { scriptMetadata } from '../kit/experiment.ts';
import { startServer, testService } from '../kit/testing.ts';
import { violates } from '../kit/testing-matchers.ts';
import { type OrdersTest, orderRequest as request, startOrders } from './testing-orders.ts';

const soon = () => ({ deadline: deadlineIn(5000) });

let own: OrdersTest;
let client: OrdersTest['client'];
before(async () => {
  own = await startOrders();
  client = own.client;
});
after(() => own[Symbol.asyncDispose]());

testService(async () => own.binding);

test('CreateOrder stores the order, has it paid for once, and returns it again for the same request', async () => {
  const asked = request();
  const first = await client.createOrder(asked, soon());
  const { createdAt, chargeId, ...rest } = first.order ?? assert.fail('no order');
  assert.deepEqual(rest, { ...asked, totalMinor: 900n, state: OrderState.PAID });
  assert.ok(createdAt instanceof Date);
  const { charge } = await own.paymentsClient.getCharge({ idempotencyKey: asked.orderId }, soon());
  assert.deepEqual([charge?.chargeId, charge?.orderId, charge?.amountMinor], [chargeId, asked.orderId, 900n]);
  const metadata = scriptMetadata([{ service: 'payments', fail: { code: status.UNAVAILABLE, rate: 0 } }]);
  assert.deepEqual(await client.createOrder(asked, { ...soon(), metadata }), first); // no second charge is asked for
  assert.deepEqual(await client.getOrder({ orderId: asked.orderId }, soon()), first);
});

test('CreateOrder of an order whose total is 0 is PAID without a charge', async () => {
  const asked = request({ lines: [{ sku: 'sample', quantity: 1, unitPriceMinor: 0n }] });
  const { order } = await client.createOrder(asked, soon());
  assert.deepEqual([order?.state, order?.chargeId], [OrderState.PAID, '']);
  await assert.rejects(own.paymentsClient.getCharge({ idempotencyKey: asked.orderId }, soon()), { code: status.NOT_FOUND });
});

test('CreateOrder is REFUSED for good when payments refuse the charge', async () => {
  const tooMuch = request({ lines: [{ sku: 'yacht', quantity: 1000, unitPriceMinor: 1_000_000n }] });
  const taken = request();
  const other = { idempotencyKey: taken.orderId, orderId: 'of-somebody-else', amountMinor: 1n, currencyCode: 'EUR' };
  await own.paymentsClient.charge(other, soon());
  for (const asked of [tooMuch, taken, tooMuch]) {
    const { order } = await client.createOrder(asked, soon());
    assert.deepEqual([order?.state, order?.chargeId], [OrderState.REFUSED, '']);
  }
});

test('CreateOrder fails with the status of payments that do not answer, stays PENDING, and the same request finishes it', async () => {
  const unavailable = { steps: [{ service: 'payments', fail: { code: status.UNAVAILABLE, rate: 0 } }], ms: 5000 };
  const slow = { steps: [{ service: 'payments', waitMs: 5000 }], ms: 100 };
  for (const [{ steps, ms }, code] of [[unavailable, status.UNAVAILABLE] as const, [slow, status.DEADLINE_EXCEEDED] as const]) {
    const asked = request();
    await assert.rejects(client.createOrder(asked, { deadline: deadlineIn(ms), metadata: scriptMetadata(steps) }), { code });
    assert.equal((await client.getOrder({ orderId: asked.orderId }, soon())).order?.state, OrderState.PENDING);
    await assert.rejects(own.paymentsClient.getCharge({ idempotencyKey: asked.orderId }, soon()), { code: status.NOT_FOUND });
    assert.equal((await client.createOrder(asked, soon())).order?.state, OrderState.PAID);
  }
});

test('CreateOrder is not REFUSED by an error of payments that is no refusal, even with the code of one', async () => {
  const asked = request();
  const metadata = scriptMetadata([{ service: 'payments', fail: { code: status.FAILED_PRECONDITION, rate: 0 } }]);
  await assert.rejects(client.createOrder(asked, { ...soon(), metadata }), {
    code: status.INTERNAL,
    message: 'internal error',
  });
  assert.equal((await client.getOrder({ orderId: asked.orderId }, soon())).order?.state, OrderState.PENDING);
});

test('CreateOrder: of the same requests that race on two replicas all return the one order with its one charge', async () => {
  await using replica = await startServer([own.binding]);
  const asked = request();
  const clients = [client, replica.client(OrderServiceService)];
  const answers = await Promise.all(clients.flatMap(each => [1, 2, 3].map(() => each.createOrder(asked, soon()))));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.equal(answers[0]?.order?.state, OrderState.PAID);
});

test('CreateOrder is ALREADY_EXISTS with ORDER_ID_REUSED for the id of another order', async () => {
  const asked = request();
  await client.createOrder(asked, soon());
  for (const changes of [{ userId: 124 }, { currencyCode: 'USD' }, { lines: [...asked.lines, ...asked.lines] }]) {
    const expected = { code: status.ALREADY_EXISTS, reason: 'ORDER_ID_REUSED' };
    await assert.rejects(client.createOrder({ ...asked, ...changes }, soon()), expected);
  }
});

test('CreateOrder is INVALID_ARGUMENT and names every bad field by its path at once', async () => {
  const lines = [
    { sku: 'good', quantity: 1, unitPriceMinor: 1n },
    { sku: 'x'.repeat(65), quantity: 1001, unitPriceMinor: -1n },
    { sku: '', quantity: 0, unitPriceMinor: 1_000_001n },
  ];
  const ofLine = (index: number) => ['sku', 'quantity', 'unit_price_minor'].map(field => `lines[${index}].${field}`);
  const bad = { orderId: 'line\nbreak', userId: 0, lines, currencyCode: 'EURO' };
  const expected = violates('order_id', 'user_id', ...ofLine(1), ...ofLine(2), 'currency_code');
  await assert.rejects(client.createOrder(bad, soon()), expected);
  const [line] = lines;
  for (const count of [0, 201]) {
    const many = Array.from({ length: count }, () => line ?? assert.fail());
    await assert.rejects(client.createOrder(request({ lines: many }), soon()), violates('lines'));
  }
});

test('GetOrder and WatchOrder are NOT_FOUND for an id without an order, INVALID_ARGUMENT for what can be no id', async () => {
  const missing = { code: status.NOT_FOUND, reason: 'ORDER_NOT_FOUND' };
  await assert.rejects(client.getOrder({ orderId: 'none' }, soon()), missing);
  await assert.rejects(Array.fromAsync(client.watchOrder({ orderId: 'none' }, soon())), missing);
  for (const orderId of ['', '\0', 'x'.repeat(129)]) {
    await assert.rejects(client.getOrder({ orderId }, soon()), violates('order_id'));
    await assert.rejects(Array.fromAsync(client.watchOrder({ orderId }, soon())), violates('order_id'));
  }
});
