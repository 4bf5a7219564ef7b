import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { isReady, kubectl, podsOf, rolloutRestart, scale, until } from './kubectl.ts';
import { report, withLoad } from './load-pod.ts';

const SERVICES = ['storefront', 'users', 'orders', 'payments'];

describe('at 100 calls a second through serviceb, with 3 replicas of each service and 2 of the edge', () => {
  before(async () => {
    await Promise.all([...SERVICES.map(service => scale(service, 3)), scale('edge', 2)]);
  });
  after(async () => {
    await Promise.all([...SERVICES.map(service => scale(service, 2)), scale('edge', 1)]);
  });

  for (const name of [...SERVICES, 'edge']) {
    it(`the rolling restart of ${name} fails no call and cuts no stream, without any retry`, async t => {
      const result = await withLoad({ policy: 'no-retry', streams: 5 }, () => rolloutRestart(name));
      report(t, result);
      assert.equal(result.failures.length, 0);
      assert.deepEqual(result.cutStreams, []);
    });
  }

  it('without the wait of the drain, the control, the rolling restart of users fails calls', async t => {
    const env = ['set', 'env', 'deployment/users'];
    const settled = () => kubectl(['rollout', 'status', 'deployment/users', '--timeout=180s']);
    await kubectl([...env, 'TELLTALE_DRAIN_WAIT_MS=0', 'TELLTALE_DRAIN_TIMEOUT_MS=0']);
    await settled();
    try {
      const result = await withLoad({ policy: 'no-retry' }, () => rolloutRestart('users'));
      report(t, result);
      assert.notEqual(result.failures.length, 0);
    } finally {
      await kubectl(['rollout', 'undo', 'deployment/users', '--to-revision=0']);
      await settled();
    }
  });

  it('a users pod deleted by force fails at most what was in flight on it, and all is well a second later', async t => {
    let deletedAt = 0;
    const result = await withLoad({ policy: 'no-retry' }, async () => {
      const [pod] = await podsOf('users');
      assert.ok(pod);
      deletedAt = Date.now();
      await kubectl(['delete', 'pod', pod.metadata.name, '--grace-period=0', '--force']);
      await until('users is whole again', 60_000, async () => {
        const pods = await podsOf('users');
        return pods.length === 3 && pods.every(isReady);
      });
      await wait(2000);
    });
    report(t, result);
    const late = result.failures.filter(({ dueMs }) => result.startedAt + dueMs > deletedAt + 1000);
    assert.deepEqual(late, []);
  });
});
