import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture, record } from '../../testing-pictures.ts';
import { figuresOf } from './figures.ts';
import { scenario } from './flow-control.ts';

const slow = (held: number, heap: number, ahead: number) => ({
  right: [1, 1],
  held: [held, held],
  heap: [heap, heap],
  ahead: [ahead, ahead],
  aheadMb: [40, 40],
});

test('each check of flow-control fails on the arm that breaks it', () => {
  assertChecks(scenario, { paced: slow(0.01, 0.5, 0.25), eager: slow(0.6, 4, 0.05) }, [
    ['paced', { right: [1, 0.995] }, /Every item/],
    ['eager', { right: [0, 0] }, /Every item/],
    ['paced', { held: [0.01, 0.5] }, /holds at most/],
    ['paced', { held: [Number.NaN, 0.01] }, /holds at most/],
    ['eager', { held: [0.01, 0.6] }, /holds at most/],
    ['paced', { heap: [3, 4] }, /live heap/],
    ['eager', { heap: [0.5, 0.5] }, /live heap/],
    ['paced', { ahead: [0.9, 1] }, /holds the server back/],
    ['paced', { ahead: [Number.NaN, Number.NaN] }, /holds the server back/],
  ]);
});

test('figuresOf counts what was taken after the server’s handler had stopped, and the most that was held', () => {
  const items = ['a', 'b', 'c', 'd'];
  const outcome = { items, takenAt: [10, 20, 30, 40], heldMost: 2, heapBytes: 3e6 };
  const turn = { picture: picture([record('ListOrders', { stoppedAt: 25 })]), outcome };
  const { ahead, aheadMb, held, heap, right } = figuresOf([turn], items, 1e6);
  assert.deepEqual([ahead, aheadMb, held, heap, right], [0.5, 2, 0.5, 3, 1]);
  assert.equal(figuresOf([turn], items.toReversed(), 1e6).right, 0);
});

test('figuresOf takes no stream that failed for one of which nothing was held', () => {
  const failed = { picture: picture([], { status: 'UNAVAILABLE' }), outcome: undefined };
  const { held, heap, right } = figuresOf([failed], ['a'], 1e6);
  assert.deepEqual([held, heap, right], [Number.NaN, Number.NaN, 0]);
});
