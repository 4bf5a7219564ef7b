import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { RpcError } from '../kit/rpc-error.ts';
import type { CallToMake, Load } from './bench.ts';
import { endOfCall } from './call-picture.ts';
import { loadInTurn } from './load-in-turn.ts';
import { picture } from './testing-pictures.ts';

/** A load of three calls that are all due at once. */
const load = ({ call }: Load) =>
  Promise.all(['a', 'b', 'c'].map(async (id, n) => picture([], { id, ...(await endOfCall(call({ id, n } as CallToMake))) })));

test('loadInTurn makes one call at a time, and goes on after one that fails', async () => {
  let [open, most] = [0, 0];
  const turns = await loadInTurn({ load }, [], async ({ id }) => {
    most = Math.max(most, ++open);
    await wait(5);
    open--;
    if (id === 'b') throw new RpcError(14, 'away', { reason: 'AWAY' });
    return id.toUpperCase();
  });
  assert.equal(most, 1);
  assert.deepEqual(
    turns.map(({ picture, outcome }) => [picture.status, outcome]),
    [
      ['OK', 'A'],
      ['UNAVAILABLE', undefined],
      ['OK', 'C'],
    ],
  );
});
