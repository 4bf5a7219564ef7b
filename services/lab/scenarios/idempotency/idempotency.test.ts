import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture } from '../../testing-pictures.ts';
import { figuresOf, type Outcome } from './figures.ts';
import { scenario } from './idempotency.ts';

test('each check of idempotency fails on the arm that breaks it', () => {
  const both = { expired: [1, 1], done: [1, 0.99], answered: [1, 1] };
  const good = {
    keyed: { ...both, charged: [1, 1], twice: [0, 0], same: [1, 1] },
    unkeyed: { ...both, charged: [2, 1.98], twice: [1, 0.99], same: [0, 0] },
  };
  assertChecks(scenario, good, [
    ['keyed', { expired: [1, 0.99] }, /DEADLINE_EXCEEDED and every second/],
    ['unkeyed', { answered: [0.99, 1] }, /DEADLINE_EXCEEDED and every second/],
    ['keyed', { done: [0.49, 1] }, /charged all the same/],
    ['unkeyed', { done: [0, 0] }, /charged all the same/],
    ['keyed', { done: [Number.NaN, 1] }, /charged all the same/],
    ['keyed', { charged: [1, 1.01], twice: [0, 0.01] }, /exactly one charge/],
    ['keyed', { charged: [1, 0.99] }, /exactly one charge/],
    // one order that was charged twice hides another that was not charged
    ['keyed', { twice: [0, 0.01] }, /exactly one charge/],
    ['keyed', { same: [1, 0.99] }, /charge of the first/],
    ['unkeyed', { same: [0, 0.01] }, /charge of the first/],
    ['unkeyed', { charged: [1, 1], twice: [0, 0] }, /charged twice/],
    ['unkeyed', { twice: [1, 0.97] }, /charged twice/],
  ]);
});

const outcome = (more: Partial<Outcome> = {}): Outcome => ({ expired: true, done: true, charges: 1, same: true, ...more });
const figures = (...outcomes: (Outcome | undefined)[]) => {
  const pictures = outcomes.map((known, n) => picture([], { id: `${n}`, status: known ? 'OK' : 'UNAVAILABLE' }));
  const known = outcomes.flatMap((each, n) => (each ? [[`${n}`, each] as const] : []));
  return figuresOf(pictures, new Map(known));
};

test('figuresOf counts charges by order, and an order of which nothing is known as not charged and not answered', () => {
  assert.equal(figures(outcome(), outcome({ charges: 2, same: false })).charged, 1.5);
  const { charged, twice, expired, answered } = figures(outcome(), undefined);
  assert.deepEqual([charged, twice, expired, answered], [0.5, 0, 0.5, 0.5]);
  assert.equal(figures(outcome({ charges: 0 }), outcome({ charges: 2 })).twice, 0.5);
});

test('figuresOf asks only of what has expired whether it was done, and only of what was done whether it was answered again', () => {
  const { done, same } = figures(outcome(), outcome({ done: false, same: false }), outcome({ expired: false }));
  assert.deepEqual([done, same], [0.5, 1]);
});

test('figuresOf leaves out the orders of the warm-up', () => {
  assert.equal(
    figuresOf(
      [picture([], { id: '0' })],
      new Map([
        ['0', outcome()],
        ['warm-up-0', outcome()],
      ]),
    ).charged,
    1,
  );
});
