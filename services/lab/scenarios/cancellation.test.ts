import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../testing-checks.ts';
import { picture, record } from '../testing-pictures.ts';
import { figuresOf, scenario } from './cancellation.ts';

const cancelled = { status: 'CANCELLED' } as const;

test('each check of cancellation fails on the arm that breaks it', () => {
  const good = {
    propagated: { stopP50: [4, 5], stopP99: [20, 30], cancelled: [1, 1], finished: [0, 0] },
    detached: { stopP50: [1350, 1360], stopP99: [1400, 1400], cancelled: [1, 1], finished: [1, 1] },
  };
  assertChecks(scenario, good, [
    ['propagated', { stopP99: [101, 1400] }, /last leaf has stopped/],
    ['propagated', { stopP99: [Number.NaN, Number.NaN] }, /last leaf has stopped/],
    ['propagated', { cancelled: [1, 0.99] }, /sees CANCELLED/],
    ['detached', { cancelled: [0.9, 1] }, /sees CANCELLED/],
    ['propagated', { finished: [0, 0.01] }, /goes on to OK/],
    ['detached', { finished: [0.1, 1] }, /goes on to OK/],
  ]);
});

test('figuresOf takes the last of the leaves, and not the hop that fans out', () => {
  const hops = [
    record('GetProfile', { ...cancelled, stoppedAt: 900 }),
    record('GetUser', { ...cancelled, stoppedAt: 34 }),
    record('ListOrders', { ...cancelled, stoppedAt: 41 }),
  ];
  const { stopP50, stopP99, finished } = figuresOf([picture(hops, cancelled)]);
  assert.deepEqual([stopP50, stopP99, finished], [11, 11, 0]);
});
