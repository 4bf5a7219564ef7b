import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { revision, rollback, scale, upgrade } from './helm.ts';
import { authority } from './identities.ts';
import { rolloutRestart } from './kubectl.ts';
import { RATE, report, withLoad } from './load-pod.ts';

const installed = await revision();
const skip = installed === undefined && 'what runs here was not installed by Helm';

/** Every pod starts anew at the same time, and calls are slow meanwhile: what is asked for is that none is lost. */
const LOAD = { policy: 'no-retry', streams: 5, deadlineMs: 20_000 };

describe(`at ${RATE} calls a second through serviceb, with 3 replicas of each service and 2 of the edge, without any retry`, {
  skip,
}, () => {
  before(() => scale({ storefront: 3, users: 3, orders: 3, payments: 3, edge: 2 }));
  after(() => rollback(installed ?? 0));

  it('an upgrade that changes every pod fails no call, cuts no stream and keeps the authority, and so does its rollback', async t => {
    const from = await revision();
    const { certificate } = await authority();
    const upgraded = await withLoad(LOAD, () => upgrade({ logLevel: 'warn', 'limits.callsPerUpstream': '900' }));
    report(t, upgraded);
    assert.equal((await authority()).certificate, certificate);
    const rolledBack = await withLoad(LOAD, () => rollback(from ?? 0));
    report(t, rolledBack);
    assert.equal((await authority()).certificate, certificate);
    for (const { failures, cutStreams } of [upgraded, rolledBack]) {
      assert.equal(failures.length, 0);
      assert.deepEqual(cutStreams, []);
    }
  });

  it('without the wait of the drain, the control, the rolling restart of users fails calls', async t => {
    await upgrade({ 'drain.waitMs': '0', 'drain.timeoutMs': '0' });
    const result = await withLoad({ policy: 'no-retry' }, () => rolloutRestart('users'));
    report(t, result);
    assert.notEqual(result.failures.length, 0);
  });
});
