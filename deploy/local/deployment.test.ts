import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Deployment } from './deployment.ts';
import { deployment, type TestFolder, testFolder } from './testing-chart.ts';
import { runObjects } from './testing-deployments.ts';
import { waitUntil } from './wait.ts';

async function run(folder: TestFolder, name: string, replicas: number, change: Partial<Deployment['object']['spec']> = {}) {
  // Slower to stop than to start: who does not wait for the end is seen.
  const spec = { containers: [folder.container('app', 8082, { STOP_MS: '300' })], terminationGracePeriodSeconds: 5 };
  const object = deployment(name, replicas, spec);
  const running = await runObjects(folder, [{ ...object, spec: { ...object.spec, ...change } } as typeof object]);
  const kept = running.deployments.get(name) as Deployment;
  assert.ok(await kept.whenComplete(20_000));
  return { kept, edge: running.edge, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

const names = ({ pods }: Deployment) => pods.map(({ name }) => name).sort();

describe('a Deployment', () => {
  it('is restarted one pod at a time: never fewer ready pods than asked for, never more than one above', async () => {
    using folder = testFolder();
    await using running = await run(folder, 'users', 3);
    const { kept } = running;
    const before = names(kept);
    const seen: { ready: number; living: number }[] = [];
    kept.restart('now');
    const done = await waitUntil(
      () => {
        const living = kept.pods.filter(({ terminating }) => !terminating);
        seen.push({ ready: living.filter(({ ready }) => ready).length, living: living.length });
        return kept.complete;
      },
      { timeoutMs: 30_000, intervalMs: 5 },
    );
    assert.ok(done);
    assert.deepEqual([Math.min(...seen.map(({ ready }) => ready)), Math.max(...seen.map(({ living }) => living))], [3, 4]);
    assert.deepEqual(
      names(kept).filter(name => before.includes(name)),
      [],
    );
    assert.equal(kept.generation, 2);
  });

  it('gives each pod an address of its own, and new ones to new pods', async () => {
    using folder = testFolder();
    await using running = await run(folder, 'users', 2);
    const before = running.kept.pods.map(({ address }) => address);
    assert.equal(new Set(before).size, 2);
    running.kept.restart('now');
    assert.ok(await running.kept.whenComplete(20_000));
    assert.deepEqual(
      running.kept.pods.filter(({ address }) => before.includes(address)),
      [],
    );
  });

  it('is scaled up and down, and to nothing', async () => {
    using folder = testFolder();
    await using running = await run(folder, 'users', 1);
    for (const replicas of [3, 1, 0]) {
      running.kept.scale(replicas);
      assert.ok(await running.kept.whenComplete(20_000));
      assert.equal(running.kept.pods.length, replicas);
    }
  });

  it('replaces a pod that is deleted at once', async () => {
    using folder = testFolder();
    await using running = await run(folder, 'users', 2);
    const [first] = names(running.kept);
    assert.equal(running.kept.deletePod(first ?? ''), true);
    assert.equal(running.kept.pods.filter(({ terminating }) => !terminating).length, 2);
    assert.ok(await running.kept.whenComplete(20_000));
    assert.ok(!names(running.kept).includes(first ?? ''));
    assert.equal(running.kept.deletePod('users-none'), false);
  });

  it('with strategy Recreate ends the old pods before it starts new ones', async () => {
    using folder = testFolder();
    await using running = await run(folder, 'users', 2, { strategy: { type: 'Recreate' } });
    running.kept.restart('now');
    assert.ok(await running.kept.whenComplete(20_000));
    const restarted = folder.events().slice(2);
    assert.deepEqual(restarted.slice(0, 4).sort(), ['app exit', 'app exit', 'app term', 'app term']);
  });
});

describe('the edge', () => {
  it('is one pod that keeps its address through restarts and deletions', async () => {
    using folder = testFolder();
    await using running = await run(folder, 'edge', 3);
    const address = running.kept.pods[0]?.address;
    assert.deepEqual([running.kept.pods.length, running.edge], [1, `${address}:8082`]);
    running.kept.restart('now');
    assert.ok(await running.kept.whenComplete(20_000));
    running.kept.deletePod(names(running.kept)[0] ?? '');
    assert.ok(await running.kept.whenComplete(20_000));
    assert.equal(running.kept.pods[0]?.address, address);
    assert.deepEqual(
      folder.events().filter(event => event !== 'app term'),
      ['start', 'exit', 'start', 'exit', 'start'].map(what => `app ${what}`),
    );
    assert.throws(() => running.kept.scale(2), /edge has one address/);
  });
});
