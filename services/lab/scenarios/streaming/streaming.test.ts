import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture, record } from '../../testing-pictures.ts';
import { rightShare } from './fetch-batch.ts';
import { fetchFigures, scenario, slowFigures } from './streaming.ts';

const NONE = [Number.NaN, Number.NaN];
const fetched = (items: number, cpu: number) => ({
  itemsPerSecond: [items, items],
  labCpu: [cpu, cpu],
  ordersCpu: [cpu, cpu],
  right: [1, 1],
  held: NONE,
  heap: NONE,
  ahead: NONE,
  aheadMb: NONE,
});
const slow = (held: number, heap: number, ahead: number) => ({
  ...fetched(Number.NaN, Number.NaN),
  held: [held, held],
  heap: [heap, heap],
  ahead: [ahead, ahead],
  aheadMb: [40, 40],
});

test('each check of streaming fails on the arm that breaks it', () => {
  const good = {
    'server-stream': fetched(10_000, 20),
    bidi: fetched(9000, 30),
    paced: slow(0.01, 0.5, 0.25),
    unary: fetched(1000, 200),
    eager: slow(0.6, 4, 0.05),
  };
  assertChecks(scenario, good, [
    ['bidi', { itemsPerSecond: [1400, 1400] }, /items per second/],
    ['server-stream', { itemsPerSecond: NONE }, /items per second/],
    ['unary', { itemsPerSecond: [9000, 9000] }, /items per second/],
    ['bidi', { labCpu: [150, 150] }, /of the CPU/],
    ['server-stream', { ordersCpu: [150, 150] }, /of the CPU/],
    ['bidi', { ordersCpu: NONE }, /of the CPU/],
    ['paced', { right: [1, 0.995] }, /Every item/],
    ['unary', { right: [0, 0] }, /Every item/],
    ['paced', { held: [0.01, 0.5] }, /holds at most/],
    ['eager', { held: [0.01, 0.6] }, /holds at most/],
    ['paced', { heap: [3, 4] }, /live heap/],
    ['eager', { heap: [0.5, 0.5] }, /live heap/],
    ['paced', { ahead: [0.9, 1] }, /holds the server back/],
    ['paced', { ahead: NONE }, /holds the server back/],
  ]);
});

test('rightShare sees what is missing, in another place, and too much', () => {
  const expected = ['a', 'b', 'c', 'd'];
  assert.equal(rightShare(expected, expected), 1);
  assert.equal(rightShare(expected, ['a', 'b', 'c']), 0.75);
  assert.equal(rightShare(expected, ['a', 'c', 'b', 'd']), 0.5);
  assert.equal(rightShare(expected, [...expected, 'e']), 0);
});

test('fetchFigures counts a batch that failed as nothing that came, and not as a rate of 0', () => {
  const outcome = { itemsPerSecond: 100, labCpu: 5, ordersCpu: 7, right: 1 };
  const { itemsPerSecond, labCpu, right } = fetchFigures([
    { picture: picture([]), outcome },
    { picture: picture([], { status: 'UNAVAILABLE' }), outcome: undefined },
  ]);
  assert.deepEqual([itemsPerSecond, labCpu, right], [100, 5, 0.5]);
});

test('slowFigures counts what was taken after the server’s handler had stopped, and the most that was held', () => {
  const items = ['a', 'b', 'c', 'd'];
  const outcome = { items, takenAt: [10, 20, 30, 40], heldMost: 2, heapBytes: 3e6 };
  const turn = { picture: picture([record('ListOrders', { stoppedAt: 25 })]), outcome };
  const { ahead, aheadMb, held, heap, right } = slowFigures([turn], items, 1e6);
  assert.deepEqual([ahead, aheadMb, held, heap, right], [0.5, 2, 0.5, 3, 1]);
  assert.equal(slowFigures([turn], items.toReversed(), 1e6).right, 0);
});
