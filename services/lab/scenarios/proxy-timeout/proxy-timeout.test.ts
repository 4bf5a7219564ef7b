import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallRecord } from '../../../kit/record.ts';
import type { CallPicture } from '../../call-picture.ts';
import { assertChecks } from '../../testing-checks.ts';
import { picture, record } from '../../testing-pictures.ts';
import { figuresOf } from './figures.ts';
import { scenario } from './proxy-timeout.ts';

const BUDGET = 1500;
const share = (of: 'answered' | 'expired') => ({ answered: [0, 0], expired: [0, 0], byProxy: [0, 0], [of]: [1, 1] });

test('each check of proxy-timeout fails on the arm that breaks it', () => {
  const good = {
    aware: { ...share('answered'), endedP50: [707, 706], lateP50: [-793, -794], left: [793, 794] },
    expired: { ...share('expired'), endedP50: [1501, 1502], lateP50: [1, 2], left: [0, 0] },
    fixed: { ...share('expired'), byProxy: [1, 0.98], endedP50: [303, 304], lateP50: [-1197, -1196], left: [1197, 1196] },
  };
  assertChecks(scenario, good, [
    ['aware', { answered: [1, 0.99] }, /in time is answered OK/],
    ['expired', { expired: [0.99, 1] }, /DEADLINE_EXCEEDED/],
    ['expired', { lateP50: [1, 51] }, /DEADLINE_EXCEEDED/],
    ['expired', { lateP50: [-6, 1] }, /DEADLINE_EXCEEDED/],
    ['expired', { lateP50: [Number.NaN, 1] }, /DEADLINE_EXCEEDED/],
    ['fixed', { answered: [1, 1], expired: [0, 0] }, /let no such call be answered/],
    ['fixed', { expired: [0, 0] }, /let no such call be answered/],
    ['fixed', { left: [0, 0] }, /let no such call be answered/],
    ['fixed', { endedP50: [707, 303] }, /ends at the time-out/],
    ['fixed', { endedP50: [303, 200] }, /ends at the time-out/],
    ['fixed', { byProxy: [0.49, 1] }, /a proxy ends the call/],
    ['aware', { byProxy: [0, 0.1] }, /a proxy ends the call/],
  ]);
});

const cutOff = (more: Partial<CallPicture> = {}, hop: Partial<CallRecord> = {}): CallPicture => {
  const hops = ['PlaceOrder', 'CreateOrder', 'Charge'].map(method => record(method, { status: 'CANCELLED', ...hop }));
  return picture(hops, { endedAt: 303, status: 'DEADLINE_EXCEEDED', reason: 'TRANSPORT', ...more });
};
const byProxy = (one: CallPicture) => figuresOf([one], BUDGET).byProxy;

test('figuresOf counts a call as ended by a proxy when nobody else has ended it', () => {
  assert.equal(byProxy(cutOff()), 1);
  assert.equal(byProxy(cutOff({ reason: 'UPSTREAM_TRANSPORT' })), 0);
  assert.equal(byProxy(cutOff({}, { status: 'UNAVAILABLE' })), 0);
  assert.equal(byProxy(cutOff({ endedAt: 1499 })), 0);
  assert.equal(byProxy(cutOff({ hops: [] })), 0);
});

test('figuresOf says after how long a call has ended, and what was left of its deadline', () => {
  const { endedP50, lateP50, left } = figuresOf([cutOff()], BUDGET);
  assert.deepEqual([endedP50, lateP50, left], [303, -1197, 1197]);
  assert.equal(figuresOf([cutOff({ endedAt: 1502 })], BUDGET).left, 0);
});
