import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture, record } from '../../testing-pictures.ts';
import { scenario } from './failure-codes.ts';
import { figuresOf } from './figures.ts';

const figures = (retryAfter: number, named: number, decidable = 1) => ({
  expected: [1, 1],
  decidable: [decidable, decidable],
  hops: [1, 1],
  named: [named, named],
  retryAfter: [retryAfter, retryAfter],
  attempts: [1, 1],
  answeredP50: [10, 12],
});

test('each check of failure-codes fails on the arm that breaks it', () => {
  const good = {
    cancelled: figures(0, 0),
    expired: figures(0, 0.1),
    unavailable: figures(1, 1),
    exhausted: figures(1, 1),
    opaque: figures(0, 1, 0),
  };
  assertChecks(scenario, good, [
    ['unavailable', { expected: [1, 0.9] }, /exactly the code/],
    ['opaque', { expected: [0, 0] }, /exactly the code/],
    ['expired', { hops: [0.9, 1] }, /Every hop reports/],
    ['unavailable', { named: [1, 0.9] }, /names the pod/],
    ['cancelled', { named: [1, 0] }, /names the pod/],
    ['exhausted', { retryAfter: [0, 0] }, /when to try again/],
    ['expired', { retryAfter: [1, 1] }, /when to try again/],
    ['unavailable', { attempts: [3, 1] }, /one attempt/],
    ['opaque', { decidable: [1, 1] }, /no caller can tell/],
  ]);
});

test('figuresOf counts hops that say something else, attempts, and answers that say when to try again', () => {
  const down = { status: 'UNAVAILABLE' } as const;
  const again = record('Charge', { ...down, attempt: 2 });
  const hops = [record('PlaceOrder', down), record('CreateOrder', { status: 'INTERNAL' }), record('Charge', down), again];
  const cause = { code: 'UNAVAILABLE', reports: ['UNAVAILABLE'] };
  const found = figuresOf([picture(hops, { ...down, retryAfterMs: 100 })], cause, new Set());
  assert.deepEqual([found.expected, found.decidable, found.hops, found.retryAfter, found.attempts], [1, 1, 0.75, 1, 2]);
  const pictures = ['a', 'b'].map(id => picture(hops, { ...down, id }));
  assert.deepEqual([found.named, figuresOf(pictures, cause, new Set(['b'])).named], [0, 0.5]);
});
