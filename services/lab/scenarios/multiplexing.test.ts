import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../testing-checks.ts';
import { picture, record } from '../testing-pictures.ts';
import { figuresOf, scenario } from './multiplexing.ts';

const figures = (p99: number, connections: number, atOnce: number, segments: number) => ({
  p50: [p99 / 2, p99 / 2],
  p99: [p99, p99],
  connections: [connections, connections],
  atOnce: [atOnce, atOnce],
  segments: [segments, segments],
  answered: [1, 1],
});

const good = {
  multiplexed: figures(90, 1, 60, 2),
  'socket-each': figures(70, 100, 1, 4),
  'six-sockets': figures(500, 6, 1, 4),
  'one-socket': figures(2500, 1, 1, 4),
};

test('each check of multiplexing fails on the arm that breaks it', () => {
  assertChecks(scenario, good, [
    ['multiplexed', { connections: [1, 4] }, /all calls on 1 connection/],
    ['multiplexed', { atOnce: [60, 1] }, /all calls on 1 connection/],
    ['six-sockets', { atOnce: [1, 2] }, /all calls on 1 connection/],
    ['multiplexed', { p99: [2400, 2500] }, /wait up to 5 times/],
    ['one-socket', { p99: [300, 300] }, /wait up to 5 times|faster the more/],
    ['multiplexed', { p99: [Number.NaN] }, /wait up to 5 times/],
    ['socket-each', { p99: [600, 600] }, /faster the more/],
    ['socket-each', { connections: [100, 9] }, /faster the more/],
    ['multiplexed', { segments: [4, 3.3] }, /TCP segments/],
    ['socket-each', { segments: [Number.NaN] }, /TCP segments/],
    ['one-socket', { answered: [1, 0.99] }, /is answered/],
  ]);
});

test('the verdict depends on connections where HTTP/1.1 with one for each call is the faster, and only there', () => {
  assert.match(scenario.depends?.(good) ?? '', /with 100 it has answered 99 of 100 calls after 70 ms, gRPC on one after 90 ms/);
  assert.equal(scenario.depends?.({ ...good, multiplexed: figures(60, 1, 60, 2) }), undefined);
});

test('figuresOf counts the calls that were served at once by connection, and waits from when a call was due', () => {
  const calls = [
    { id: 'a', served: [10, 20], connection: '7' },
    { id: 'b', served: [15, 25], connection: '7' },
    { id: 'c', served: [20, 30], connection: '7' }, // a had just been answered
    { id: 'd', served: [10, 30], connection: '8' },
  ] as const;
  const pictures = calls.map(({ id, served: [arrivedAt, endedAt] }) =>
    picture([record('GetUser', { arrivedAt, endedAt })], { id, dueAt: -5, endedAt: 30 }),
  );
  const connections = new Map(calls.map(({ id, connection }) => [id, connection]));
  const found = figuresOf(pictures, connections, 12);
  assert.deepEqual(found, { p50: 35, p99: 35, connections: 2, atOnce: 2, segments: 3, answered: 1 });
});
