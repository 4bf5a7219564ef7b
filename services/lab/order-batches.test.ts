import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rightShare } from './order-batches.ts';

test('rightShare sees what is missing, in another place, and too much', () => {
  const expected = ['a', 'b', 'c', 'd'];
  assert.equal(rightShare(expected, expected), 1);
  assert.equal(rightShare(expected, ['a', 'b', 'c']), 0.75);
  assert.equal(rightShare(expected, ['a', 'c', 'b', 'd']), 0.5);
  assert.equal(rightShare(expected, [...expected, 'e']), 0);
});
