import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodUsage } from '../../collector.ts';
import { cpuOf, usedUs } from './pod-cpu.ts';

const usage = (cpuUs: number, sampledAt: number, service = 'orders'): PodUsage => ({ service, cpuUs, sampledAt });
const { signal } = new AbortController();

test('cpuOf nudges once for each pod of the service, and takes only what they say from then on', async () => {
  const pods = new Map([
    ['orders-1', usage(10, 1)],
    ['orders-2', usage(20, 1)],
    ['users-1', usage(30, 1, 'users')],
  ]);
  let nudges = 0;
  const nudge = async () => {
    nudges++;
    pods.set(`orders-${nudges}`, usage(100 * nudges, 2));
  };
  const cpu = await cpuOf({ pods: () => pods, signal }, 'orders', nudge);
  assert.deepEqual([nudges, Object.fromEntries(cpu)], [2, { 'orders-1': 100, 'orders-2': 200 }]);
});

test('cpuOf gives nothing when a pod stays silent, rather than an old figure', async () => {
  const pods = new Map([['orders-1', usage(10, 1)]]);
  assert.equal((await cpuOf({ pods: () => pods, signal }, 'orders', async () => {})).size, 0);
});

test('usedUs adds up what the pods have used that were there at both moments; NaN when none was', () => {
  const before = new Map([
    ['a', 10],
    ['b', 20],
  ]);
  assert.equal(
    usedUs(
      before,
      new Map([
        ['a', 15],
        ['b', 40],
        ['c', 1000],
      ]),
    ),
    25,
  );
  assert.equal(usedUs(before, new Map([['c', 1000]])), Number.NaN);
  assert.equal(usedUs(before, new Map()), Number.NaN);
});
