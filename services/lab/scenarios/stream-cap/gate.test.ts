import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gate } from './gate.ts';

test('gate lets so many calls be under way, the others in their order, and frees the place of one that fails', async () => {
  const pass = gate(2);
  const begun: number[] = [];
  const ends = [1, 2, 3, 4].map(() => Promise.withResolvers<void>());
  const calls = ends.map(({ promise }, n) =>
    pass(async () => {
      begun.push(n);
      await promise;
    }),
  );
  assert.deepEqual(begun, [0, 1]);
  ends[1]?.reject(new Error('failed'));
  await assert.rejects(calls[1] ?? assert.fail(), /failed/);
  assert.deepEqual(begun, [0, 1, 2]);
  for (const { resolve } of ends) resolve();
  await Promise.allSettled(calls);
  assert.deepEqual(begun, [0, 1, 2, 3]);
});
