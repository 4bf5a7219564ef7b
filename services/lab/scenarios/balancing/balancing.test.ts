import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WholeScenario } from '../../scenario.ts';
import { scenarioInMode } from '../../scenario-in-mode.ts';
import { assertChecks } from '../../testing-checks.ts';
import { picture, record } from '../../testing-pictures.ts';
import { scenario } from './balancing.ts';
import { figuresOf } from './figures.ts';

const even = { old: [1, 1.01], after: [1.02, 1], busiest: [0.26, 0.25], served: [1, 1], seconds: [3, 2], answered: [1, 1] };
const known = { ...even, after: [2, 2.01], busiest: [0.5, 0.5], served: [0, 0], seconds: [8, 8] };
const one = { ...known, old: [2, 2], after: [4, 4], busiest: [1, 1] };
const local = { envoy: even, 'round-robin': known, 'first-address': one };

test('each check of balancing fails on the arm that breaks it', () => {
  assertChecks(scenario, local, [
    ['envoy', { after: [1.3, 1] }, /Through Envoy, the busiest/],
    ['envoy', { after: [Number.NaN, 1] }, /Through Envoy, the busiest/],
    ['envoy', { served: [0.5, 1], seconds: [8, 2] }, /Through Envoy, every new pod/],
    ['envoy', { seconds: [2, 11] }, /Through Envoy, every new pod/],
    ['round-robin', { old: [2, 1] }, /By turns in the caller/],
    ['round-robin', { served: [0, 1] }, /By turns in the caller/],
    ['first-address', { busiest: [0.5, 1] }, /first address/],
    ['first-address', { served: [0.5, 0] }, /first address/],
    ['first-address', { answered: [1, 0.99] }, /is answered/],
    ['envoy', { answered: [0.99, 1] }, /is answered/],
  ]);
});

test('in a cluster balancing also fails on an L4 Service that spreads the calls of a connection', () => {
  const { checks } = scenarioInMode(scenario as unknown as WholeScenario, 'cluster');
  const own = checks.filter(({ says }) => /L4|answered/.test(says));
  assertChecks({ checks: own }, { ...local, 'l4-service': one }, [
    ['l4-service', { busiest: [1, 0.3] }, /L4 Service/],
    ['l4-service', { served: [1, 0] }, /L4 Service/],
    ['l4-service', { answered: [1, 0] }, /is answered/],
  ]);
});

test('figuresOf tells the share of the busiest pod, and of the calls that were answered', () => {
  const calls = Array.from({ length: 40 }, (_, n) =>
    picture([record('GetUser', { pod: n % 4 === 0 ? 'b' : 'a' })], {
      begunAt: n * 100,
      status: n === 0 ? 'UNAVAILABLE' : 'OK',
    }),
  );
  const figures = figuresOf(calls, { base: ['a', 'b'], all: ['a', 'b', 'c'], readyAt: 900 }, 10);
  const { old, busiest, served, answered } = figures;
  assert.deepEqual([old, busiest, served, answered], [1.5, 0.75, 0, 0.975]);
});
