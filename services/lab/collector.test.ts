import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Collector } from './collector.ts';
import { record } from './testing-pictures.ts';

const message = { service: 'test', pod: 'test-1', droppedCount: 0n, cpuUs: 5n, sampledAt: 1 };

test('Collector joins the records of one call in the order of its hops, each once, and forgets other runs', () => {
  const collector = new Collector();
  collector.add({ ...message, records: [record('Early', { run: 'run/1' })] });
  collector.expect('run/');
  const [first, second] = [record('First', { run: 'run/1' }), record('Second', { run: 'run/1', arrivedAt: 15 })];
  collector.add({ ...message, records: [second, record('Other', { run: 'other/1' })] });
  collector.add({ ...message, records: [first, second] });
  assert.deepEqual(collector.of('run/1'), [first, second]);
  assert.deepEqual(collector.of('other/1'), []);
  collector.expect(undefined);
  assert.deepEqual(collector.of('run/1'), []);
});

test('Collector counts what pods drop from when it first hears of them, also over a new stream', () => {
  const collector = new Collector();
  const dropped = (pod: string, count: bigint) => collector.add({ ...message, pod, droppedCount: count, records: [] });
  dropped('a', 7n);
  assert.equal(collector.dropped, 0);
  dropped('a', 9n);
  collector.forget('a');
  assert.equal(collector.pods.size, 0);
  dropped('a', 10n);
  dropped('b', 1n);
  assert.equal(collector.dropped, 3);
});
