import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture, record } from '../../testing-pictures.ts';
import { scenario } from './channel-per-call.ts';
import { figuresOf } from './figures.ts';

const figures = (cpu: number, p50: number, connections: number, segments: number) => ({
  cpu: [cpu, cpu],
  p50: [p50, p50],
  p99: [2 * p50, 2 * p50],
  connections: [connections, connections],
  segments: [segments, segments],
  answered: [1, 1],
});

test('each check of channel-per-call fails on the arm that breaks it', () => {
  const good = {
    reused: figures(800, 6, 0.01, 20),
    'per-call': figures(2400, 9, 1, 34),
  };
  assertChecks(scenario, good, [
    ['per-call', { connections: [1, 0.5] }, /connection of its own/],
    ['reused', { connections: [0.01, 0.5] }, /connection of its own/],
    ['per-call', { cpu: [900, 1000] }, /1\.3 times the CPU/],
    ['reused', { cpu: [Number.NaN] }, /1\.3 times the CPU/],
    ['per-call', { p50: [5, 5] }, /answered later/],
    ['reused', { p50: [Number.NaN] }, /answered later/],
    ['reused', { answered: [1, 0.99] }, /is answered/],
  ]);
});

test('figuresOf gives each call its share of connections, CPU and segments', () => {
  const calls = ['a', 'b', 'c', 'd'].map((id, n) => picture([record('GetUser')], { id, dueAt: n, endedAt: 11 }));
  const found = (connections: Record<string, string>) =>
    figuresOf(calls, new Map(Object.entries(connections)), { cpu: 400, segments: 8 });
  const { connections, cpu, segments, p50 } = found({ a: '1', b: '1', c: '1', d: '1' });
  assert.deepEqual([connections, cpu, segments, p50], [0.25, 100, 2, 10]);
  assert.equal(found({ a: '1', b: '2', c: '3', d: '4' }).connections, 1);
});
