import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadWhile } from './testing-load.ts';

test('loadWhile begins no call before it is due', async () => {
  const [rate, wanted] = [300, 60];
  const begun: number[] = [];
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const start = performance.now();
  await loadWhile(enough, rate, async n => {
    begun.push(performance.now() - start);
    if (n === wanted) resolve();
  });
  const early = begun.filter((ms, n) => ms < (n * 1000) / rate);
  assert.ok(begun.length > wanted);
  assert.deepEqual(early, []);
});
