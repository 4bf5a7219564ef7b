import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violationsIn } from '../kit/validate.ts';
import { orderSet, rightShare } from './order-batches.ts';

test('rightShare sees what is missing, in another place, and too much', () => {
  const expected = ['a', 'b', 'c', 'd'];
  assert.equal(rightShare(expected, expected), 1);
  assert.equal(rightShare(expected, ['a', 'b', 'c']), 0.75);
  assert.equal(rightShare(expected, ['a', 'c', 'b', 'd']), 0.5);
  assert.equal(rightShare(expected, [...expected, 'e']), 0);
});

test('orderSet gives its orders ids that the contract takes', () => {
  const { ids } = orderSet('a-name', 1, 200, 1);
  assert.equal(new Set(ids).size, 200);
  for (const orderId of ids) assert.deepEqual(violationsIn('telltale.orders.v1.GetOrderRequest', { orderId }), []);
});
