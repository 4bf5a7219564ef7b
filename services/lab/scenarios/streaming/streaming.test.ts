import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture } from '../../testing-pictures.ts';
import { figuresOf } from './figures.ts';
import { scenario } from './streaming.ts';

const fetched = (items: number, cpu: number) => ({
  itemsPerSecond: [items, items],
  labCpu: [cpu, cpu],
  ordersCpu: [cpu, cpu],
  right: [1, 1],
});

test('each check of streaming fails on the arm that breaks it', () => {
  const good = { 'server-stream': fetched(10_000, 20), bidi: fetched(9000, 30), unary: fetched(1000, 200) };
  assertChecks(scenario, good, [
    ['bidi', { itemsPerSecond: [1400, 1400] }, /items per second/],
    ['server-stream', { itemsPerSecond: [Number.NaN, Number.NaN] }, /items per second/],
    ['unary', { itemsPerSecond: [9000, 9000] }, /items per second/],
    ['bidi', { labCpu: [150, 150] }, /of the CPU/],
    ['server-stream', { ordersCpu: [150, 150] }, /of the CPU/],
    ['bidi', { ordersCpu: [Number.NaN, Number.NaN] }, /of the CPU/],
    ['server-stream', { right: [1, 0.995] }, /Every item/],
    ['unary', { right: [0, 0] }, /Every item/],
  ]);
});

test('figuresOf counts a batch that failed as nothing that came, and not as a rate of 0', () => {
  const outcome = { itemsPerSecond: 100, labCpu: 5, ordersCpu: 7, right: 1 };
  const { itemsPerSecond, labCpu, right } = figuresOf([
    { picture: picture([]), outcome },
    { picture: picture([], { status: 'UNAVAILABLE' }), outcome: undefined },
  ]);
  assert.deepEqual([itemsPerSecond, labCpu, right], [100, 5, 0.5]);
});
