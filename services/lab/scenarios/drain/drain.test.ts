import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodSummary } from '../../control.ts';
import { assertChecks } from '../../testing-checks.ts';
import { picture } from '../../testing-pictures.ts';
import { scenario } from './drain.ts';
import { figuresOf } from './figures.ts';

test('each check of drain fails on the arm that breaks it', () => {
  const good = {
    ordered: { failed: [0, 0], lost: [0, 0], replaced: [1, 1], took: [6, 7] },
    unwaited: { failed: [4, 6], lost: [0.01, 0.01], replaced: [1, 1], took: [5, 5] },
    killed: { failed: [9, 11], lost: [0.01, 0.01], replaced: [1, 1], took: [4, 4] },
  };
  assertChecks(scenario, good, [
    ['ordered', { failed: [0, 1] }, /no call of any rollout fails/],
    ['ordered', { failed: [Number.NaN, 0] }, /no call of any rollout fails/],
    ['killed', { failed: [0, 20] }, /^Killed, at least one call/],
    ['unwaited', { failed: [0, 9] }, /Without the wait/],
    ['unwaited', { replaced: [1, 0.5] }, /under load/],
    ['ordered', { replaced: [1, 0.5] }, /under load/],
    ['killed', { replaced: [0, 1] }, /under load/],
  ]);
});

const pod = (name: string, address: string): PodSummary => ({ name, address, ready: true, terminating: false });
const rollout = { before: [pod('a', '1'), pod('b', '2')], after: [pod('c', '3'), pod('d', '1')], tookMs: 6500 };
const all = { before: new Set(['1', '2']), after: new Set(['1', '3']) };

test('figuresOf counts failed calls of every status', () => {
  const pictures = [picture([]), picture([]), picture([], { status: 'UNAVAILABLE' }), picture([], { status: 'INTERNAL' })];
  const { failed, lost, took } = figuresOf(pictures, rollout, all);
  assert.deepEqual([failed, lost, took], [2, 0.5, 6.5]);
});

test('figuresOf sees a pod that was not replaced, and one, old or new, that has answered nobody', () => {
  const replaced = (more: Partial<typeof rollout>, answered: Partial<typeof all> = {}) =>
    figuresOf([picture([])], { ...rollout, ...more }, { ...all, ...answered }).replaced;
  assert.equal(replaced({}), 1);
  assert.equal(replaced({}, { before: new Set(['1', '3']) }), 0.5);
  assert.equal(replaced({}, { after: new Set(['1', '2']) }), 0.5);
  assert.equal(replaced({ after: [pod('a', '1'), pod('c', '3')] }), 0.5);
});
