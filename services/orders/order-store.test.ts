import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { type CreateOrderRequest, type Order, OrderState } from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { DatabaseLocation } from '../kit/database.ts';
import { hasCode } from '../kit/rpc-error.ts';
import { type DatabaseTest, onEachDatabase } from '../kit/testing-database.ts';
import { openOrderStore, PAGE_SIZE } from './order-store.ts';

const NEVER = new AbortController().signal;
const lines = [
  { sku: 'tea', quantity: 3, unitPriceMinor: 450n },
  { sku: 'free sample "é"', quantity: 1, unitPriceMinor: 0n },
];
const request: CreateOrderRequest = { orderId: 'order', userId: 123, lines, currencyCode: 'EUR' };

await onEachDatabase(suite => {
  test('add stores an order as PENDING with its total and the time, and find returns it', async () => {
    const store = await opened(suite);
    const { order, added } = await store.add(request, NEVER);
    assert.equal(added, true);
    const { createdAt, ...rest } = order;
    assert.deepEqual(rest, { ...request, totalMinor: 1350n, state: OrderState.PENDING, chargeId: '' });
    assert.ok(createdAt && Math.abs(Date.now() - createdAt.getTime()) < 60_000);
    assert.deepEqual(await store.find('order', NEVER), order);
    assert.equal(await store.find('other', NEVER), undefined);
  });

  test('add of the same order finds it, and of another order with its id throws ORDER_ID_REUSED', async () => {
    const store = await opened(suite);
    const { order } = await store.add(request, NEVER);
    assert.deepEqual(await store.add(structuredClone(request), NEVER), { order, added: false });
    for (const other of [{ userId: 124 }, { currencyCode: 'USD' }, { lines: lines.slice(1) }]) {
      const reused = (error: unknown) => hasCode(error, status.ALREADY_EXISTS) && error.reason === 'ORDER_ID_REUSED';
      await assert.rejects(store.add({ ...request, ...other }, NEVER), reused);
    }
    assert.deepEqual(await store.find('order', NEVER), order);
  });

  test('add: of replicas that race one stores the order', async () => {
    const location = await suite.locate();
    const stores = await Promise.all([0, 1, 2].map(() => opened(suite, location)));
    const results = await Promise.all(stores.flatMap(store => [0, 1, 2].map(() => store.add(request, NEVER))));
    assert.equal(results.filter(({ added }) => added).length, 1);
  });

  test('settle changes the state of a PENDING order, and of replicas that race the first one wins', async () => {
    const location = await suite.locate();
    const stores = await Promise.all([0, 1, 2].map(() => opened(suite, location)));
    await stores[0]?.add(request, NEVER);
    const charges = ['a', 'b', 'c'];
    const settled = await Promise.all(
      stores.map((store, index) => store.settle('order', { state: OrderState.PAID, chargeId: charges[index] ?? '' }, NEVER)),
    );
    assert.equal(new Set(settled.map(order => order?.chargeId)).size, 1);
    const late = await stores[0]?.settle('order', { state: OrderState.REFUSED }, NEVER);
    assert.deepEqual(late, settled[0]);
    assert.equal(late?.state, OrderState.PAID);
    assert.equal(await stores[0]?.settle('other', { state: OrderState.REFUSED }, NEVER), undefined);
  });

  test('list yields every order once, also of those that were stored in the same millisecond', async () => {
    const location = await suite.locate();
    const store = await opened(suite, location);
    const ids = Array.from({ length: PAGE_SIZE + 10 }, (_, index) => `order-${index}`);
    for (const orderId of ids) await store.add({ ...request, orderId }, NEVER);
    await (await suite.open(location)).query('UPDATE orders SET created_at_ms = 1', [], NEVER);
    const orders = await Array.fromAsync(store.list(123, 1000, NEVER));
    assert.deepEqual(orders.map(order => order.orderId).sort(), ids.sort());
  });

  test("list yields a user's newest orders first, over several pages, up to the limit", async () => {
    const store = await opened(suite);
    const ids = Array.from({ length: 2 * PAGE_SIZE + 5 }, (_, index) => `order-${index}`);
    for (const orderId of ids) await store.add({ ...request, orderId }, NEVER);
    await store.add({ ...request, orderId: 'of-another', userId: 9 }, NEVER);
    for (const limit of [1, PAGE_SIZE, PAGE_SIZE + 1, 1000]) {
      const orders = await Array.fromAsync(store.list(123, limit, NEVER));
      assert.equal(orders.length, Math.min(limit, ids.length));
      assert.equal(new Set(orders.map(order => order.orderId)).size, orders.length);
      assert.deepEqual(
        orders.map(time),
        orders.map(time).sort((a, b) => b - a),
      );
    }
    assert.deepEqual(await Array.fromAsync(store.list(124, 10, NEVER)), []);
  });

  test('list reads no further page while its reader does not ask, and ends when its signal aborts', async () => {
    const store = await opened(suite);
    for (let index = 0; index < PAGE_SIZE + 1; index++) await store.add({ ...request, orderId: `order-${index}` }, NEVER);
    const abort = new AbortController();
    const seen: Order[] = [];
    const reading = (async () => {
      for await (const order of store.list(123, 1000, abort.signal)) if (seen.push(order) === PAGE_SIZE) abort.abort('enough');
    })();
    await assert.rejects(reading, thrown => thrown === 'enough');
    assert.equal(seen.length, PAGE_SIZE);
  });
});

async function opened(suite: DatabaseTest, location?: DatabaseLocation) {
  return openOrderStore(await suite.open(location ?? (await suite.locate())));
}

function time(order: Order): number {
  return order.createdAt?.getTime() ?? 0;
}
