import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pause } from '../kit/pause.ts';
import { runToRest } from './run-to-rest.ts';
import type { AnyScenario } from './scenario.ts';

type Arm = AnyScenario['arms'][number];

test('runToRest throws what an arm throws, and not before the load of it has ended', async () => {
  const over = new AbortController();
  let ended = false;
  const load = async () => {
    await pause(60_000, over.signal).catch(() => {});
    await pause(50, new AbortController().signal);
    ended = true;
    return [];
  };
  const arm: Arm = {
    name: 'one',
    title: 'fails while its load goes on',
    run: async bench => {
      void bench.load({ hops: [], call: async () => {} });
      throw new Error('no answer');
    },
  };
  await assert.rejects(runToRest(arm, { load } as unknown as Parameters<Arm['run']>[0], over), /no answer/);
  assert.ok(ended && over.signal.aborted);
});
