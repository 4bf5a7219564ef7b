import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture, record } from '../../testing-pictures.ts';
import { figuresOf } from './figures.ts';
import { scenario } from './multiplexing.ts';

const figures = (answered: number, connections: number, atOnce: number, segments: number) => ({
  answered: [answered, answered],
  p50: [2100, 2200],
  p99: [2500, 2600],
  asked: [400, 400],
  atOnce: [atOnce, atOnce],
  connections: [connections, connections],
  onward: [5, 6],
  arrived: [5, 6],
  segments: [segments, segments],
});

const good = {
  multiplexed: figures(1, 1, 400, 2),
  'socket-each': figures(1, 400, 1, 4),
  'six-sockets': figures(0.03, 6, 1, 4),
  'one-socket': figures(0.005, 1, 1, 4),
};

test('each check of multiplexing fails on the arm that breaks it', () => {
  assertChecks(scenario, good, [
    ['multiplexed', { connections: [1, 4] }, /all calls of a burst under way at once on 1/],
    ['multiplexed', { atOnce: [400, 399] }, /all calls of a burst under way at once on 1/],
    ['multiplexed', { atOnce: [100, 100] }, /all calls of a burst under way at once on 1/],
    ['six-sockets', { atOnce: [1, 2] }, /all calls of a burst under way at once on 1/],
    ['socket-each', { connections: [400, 399] }, /as many connections as a burst has calls/],
    ['socket-each', { connections: [100, 100] }, /as many connections as a burst has calls/],
    ['multiplexed', { answered: [1, 0.99] }, /every call is answered/],
    ['socket-each', { answered: [0.99, 1] }, /every call is answered/],
    ['six-sockets', { answered: [1, 1] }, /on six connections answers fewer/],
    ['one-socket', { answered: [0.03, 0.03] }, /on six connections answers fewer/],
    ['one-socket', { answered: [Number.NaN] }, /on six connections answers fewer/],
    ['multiplexed', { onward: [5, 5] }, /Proxies agree/],
    ['socket-each', { onward: [400, 400], arrived: [400, 400] }, /Proxies agree/],
    ['multiplexed', { onward: [0, 0], arrived: [0, 0] }, /Proxies agree/],
    ['multiplexed', { segments: [4, 3.3] }, /TCP segments/],
    ['socket-each', { segments: [Number.NaN] }, /TCP segments/],
  ]);
});

test('the verdict depends on connections where HTTP/1.1 with one for each call is clearly the faster, and only there', () => {
  const withEach = (p99: number[]) => scenario.depends?.({ ...good, 'socket-each': { ...good['socket-each'], p99 } });
  assert.match(
    withEach([2200, 2200]) ?? '',
    /with 400 it has answered 99 of 100 calls after 2200 ms, gRPC on one after 2550 ms/,
  );
  assert.equal(withEach([2300, 2320]), undefined, 'a tenth is not to be told');
  assert.equal(withEach([2000, 2400]), undefined, 'nor is what repetitions differ by');
  assert.equal(scenario.depends?.(good), undefined);
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
  const onward = new Map(calls.map(({ id }) => [id, id]));
  const arrived = new Map([['a', '10.0.0.1 1']]);
  const found = figuresOf(pictures, { connections, onward, arrived }, { asked: 4, segments: 12 });
  assert.deepEqual([found.p50, found.p99, found.answered, found.asked, found.segments], [35, 35, 1, 4, 3]);
  assert.deepEqual([found.connections, found.atOnce, found.onward, found.arrived], [2, 2, 4, 1]);
});
