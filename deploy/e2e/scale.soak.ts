import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { scale } from './helm.ts';
import { podsOf } from './kubectl.ts';
import { RATE, report, withLoad } from './load-pod.ts';
import { servedCalls } from './served-calls.ts';

describe('users scaled from 1 to 4 under load', () => {
  let had: Record<string, number>;
  before(async () => {
    had = await scale({ users: 1 });
  });
  after(() => scale(had));

  it('gives each pod its share within 10 s, and loses no call on the way up or down', async t => {
    let shares: number[] = [];
    const result = await withLoad({ policy: 'no-retry', rate: 2 * RATE, ordersOfTen: 0 }, async () => {
      await scale({ users: 4 });
      const names = (await podsOf('users')).map(({ metadata }) => metadata.name);
      await new Promise(resolve => setTimeout(resolve, 10_000)); // what a new pod may take until it has its share
      const before = await servedCalls(names);
      await new Promise(resolve => setTimeout(resolve, 11_000)); // 22 calls for each of RATE
      const after = await servedCalls(names);
      shares = names.map(name => (after[name] ?? 0) - (before[name] ?? 0));
      await scale({ users: 1 });
    });
    report(t, result);
    const sum = shares.reduce((total, share) => total + share, 0);
    const unevenness = Math.max(...shares) / (sum / shares.length);
    t.diagnostic(`calls per pod: ${shares.join(', ')}; the largest is ${unevenness.toFixed(2)} of the mean`);
    assert.ok(sum >= 20 * RATE, `${sum} calls were counted`);
    assert.ok(unevenness <= 1.3);
    assert.equal(result.failures.length, 0);
  });
});
