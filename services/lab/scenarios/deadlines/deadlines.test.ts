import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture, record } from '../../testing-pictures.ts';
import { scenario } from './deadlines.ts';
import { figuresOf } from './figures.ts';

const late = { status: 'DEADLINE_EXCEEDED' } as const;
const chain = (...budgets: [number, number, number]) =>
  ['PlaceOrder', 'CreateOrder', 'Charge'].map((method, n) => record(method, { ...late, budgetMs: budgets[n] }));

test('each check of deadlines fails on the arm that breaks it', () => {
  const good = {
    propagated: { wasted: [10, 12, 11], falling: [1, 1, 1], expired: [1, 1, 1], abandoned: [0, 0, 0] },
    detached: { wasted: [2000, 2100, 2050], falling: [0, 0, 0], expired: [1, 1, 1], abandoned: [1, 1, 1] },
  };
  assertChecks(scenario, good, [
    ['propagated', { falling: [1, 0.99, 1] }, /falls strictly/],
    ['propagated', { wasted: [2000, 2000, 2000] }, /work for nobody/],
    ['propagated', { wasted: [Number.NaN] }, /work for nobody/],
    ['detached', { wasted: [10, 12, 11] }, /work for nobody/],
    ['propagated', { expired: [1, 1, 0.9] }, /sees DEADLINE_EXCEEDED/],
    ['propagated', { abandoned: [0, 0.1, 0] }, /goes on to OK/],
    ['detached', { abandoned: [1, 0.5, 1] }, /goes on to OK/],
  ]);
});

test('figuresOf counts the work of all hops after the end of the call, and nothing before it', () => {
  const hops = [
    record('PlaceOrder', { ...late, stoppedAt: 35 }),
    record('CreateOrder', { ...late, stoppedAt: 130 }),
    record('Charge', { ...late, arrivedAt: 40, stoppedAt: 50 }),
  ];
  assert.equal(figuresOf([picture(hops, late)], 30).wasted, 5 + 100 + 10);
});

test('figuresOf sees a budget that does not fall, that is missing, and one that the caller never gave', () => {
  const falling = (...budgets: [number, number, number]) => figuresOf([picture(chain(...budgets), late)], 300).falling;
  assert.equal(falling(299, 290, 280), 1);
  assert.equal(falling(299, 290, 290), 0);
  assert.equal(falling(299, 290, 30_000), 0);
  assert.equal(falling(305, 290, 280), 0);
  const without = chain(299, 290, 280).map(({ budgetMs: _, ...hop }) => hop);
  assert.equal(figuresOf([picture(without, late)], 300).falling, 0);
});

test('figuresOf does not take a hop without a record for one whose budget falls', () => {
  const whole = chain(299, 290, 280);
  for (const missing of [0, 1, 2]) {
    const hops = whole.filter((_, n) => n !== missing);
    assert.equal(figuresOf([picture(hops, late)], 300).falling, 0, `without ${whole[missing]?.method}`);
  }
  assert.equal(figuresOf([picture([], late)], 300).falling, 0);
});

test('figuresOf sees who went on to OK', () => {
  const went = [...chain(299, 290, 280).slice(0, 2), record('Charge', { status: 'OK' })];
  assert.equal(figuresOf([picture(chain(299, 290, 280), late), picture(went, late)], 300).abandoned, 0.5);
});
