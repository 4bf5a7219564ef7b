import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture, record } from '../../testing-pictures.ts';
import { figuresOf } from './figures.ts';
import { scenario } from './stream-cap.ts';

const figures = (stale: number, waited: number, served: number, connections: number, atOnce: number) => ({
  stale: [stale, stale],
  waited: [waited, waited],
  served: [served, served],
  connections: [connections, connections],
  atOnce: [atOnce, atOnce],
  answered: [1, 1],
});

test('each check of stream-cap fails on the arm that breaks it', () => {
  const good = {
    spread: figures(10, 1.1, 1.02, 4, 50),
    'known-limit': figures(15, 3, 1.02, 1, 100),
    'one-connection': figures(950, 3, 1.02, 1, 100),
  };
  assertChecks(scenario, good, [
    ['one-connection', { stale: [20, 30] }, /too late at least/],
    ['known-limit', { stale: [900, 900] }, /too late at least/],
    ['spread', { stale: [900, 900] }, /too late at least/],
    ['known-limit', { stale: [Number.NaN] }, /too late at least/],
    ['one-connection', { served: [3, 3] }, /sees nothing of it/],
    ['one-connection', { waited: [1.1, 1.1] }, /sees nothing of it/],
    ['spread', { waited: [3, 3] }, /end the wait/],
    ['spread', { connections: [1, 1] }, /are more than one/],
    ['one-connection', { connections: [1, 2] }, /are more than one/],
    ['one-connection', { atOnce: [100, 200] }, /are more than one/],
    ['known-limit', { answered: [1, 0.99] }, /is answered/],
  ]);
});

test('figuresOf compares the deadline that the callee believes in with the caller’s, and what each of them sees of a call', () => {
  const settings = { work: 10, budget: 100 };
  const hop = (arrivedAt: number, budgetMs: number) => record('GetUser', { arrivedAt, budgetMs, endedAt: arrivedAt + 10 });
  const waited = picture([hop(50, 99)], { id: 'a', begunAt: 2, dueAt: 0, endedAt: 61 });
  const found = figuresOf([waited], new Map([['a', '7']]), settings);
  assert.deepEqual(found, { stale: 47, waited: 6.1, served: 1, connections: 1, atOnce: 1, answered: 1 });
  assert.equal(figuresOf([picture([hop(50, 52)], { begunAt: 2 })], new Map(), settings).stale, 0);
  const { budgetMs: _, ...without } = hop(50, 0);
  assert.equal(figuresOf([picture([without])], new Map(), settings).stale, Infinity);
});
