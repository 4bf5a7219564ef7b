import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture, record } from '../../testing-pictures.ts';
import { scenario } from './cancellation.ts';
import { figuresOf } from './figures.ts';

const cancelled = { status: 'CANCELLED' } as const;
const same = (stopP50: number, stopP99: number) => ({ stopP50: [stopP50, stopP50], stopP99: [stopP99, stopP99] });

test('each check of cancellation fails on the arm that breaks it', () => {
  const good = {
    propagated: { stopP50: [4, 5], stopP99: [20, 30], late: [0, 0.02], wasted: [9, 12], cancelled: [1, 1], finished: [0, 0] },
    detached: { ...same(1350, 1400), late: [1, 1], wasted: [2700, 2800], cancelled: [1, 1], finished: [1, 1] },
  };
  assertChecks(scenario, good, [
    ['propagated', { late: [0, 0.03] }, /last leaf has stopped/],
    ['propagated', { late: [Number.NaN, 0] }, /last leaf has stopped/],
    ['propagated', { wasted: [2700, 2800] }, /work for nobody/],
    ['detached', { wasted: [9, 12] }, /work for nobody/],
    ['propagated', { wasted: [Number.NaN] }, /work for nobody/],
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
  const { stopP50, stopP99, late, wasted, finished } = figuresOf([picture(hops, cancelled)]);
  assert.deepEqual([stopP50, stopP99, late, finished], [11, 11, 0, 0]);
  assert.equal(wasted, 870 + 4 + 11);
});

test('figuresOf does not take a leaf without a record for one that has stopped', () => {
  const [user, orders] = [record('GetUser', cancelled), record('ListOrders', cancelled)];
  for (const hops of [[], [user], [orders]]) {
    const { stopP50, late } = figuresOf([picture(hops, cancelled)]);
    assert.deepEqual([stopP50, late], [Infinity, 1]);
  }
  assert.equal(figuresOf([picture([user, orders], cancelled)]).late, 0);
});

test('figuresOf sees a leaf that has gone on for too long', () => {
  const [user, orders] = [record('GetUser', cancelled), record('ListOrders', { ...cancelled, stoppedAt: 131 })];
  assert.equal(figuresOf([picture([user, orders], cancelled)]).late, 1);
});
