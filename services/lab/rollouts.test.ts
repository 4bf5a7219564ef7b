import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Control, PodSummary } from './control.ts';
import { killAll, restartAll, withPods } from './rollouts.ts';

/** A service of two pods whose replacements are ready, and whose old pods are gone, only when they have been looked at again. */
function fakeService() {
  const done: string[] = [];
  let made = 0;
  let waiting: (() => void)[] = [];
  const pod = (ready: boolean): PodSummary => ({ name: `users-${++made}`, address: '', ready, terminating: false });
  let pods = [pod(true), pod(true)];
  const replace = (old: PodSummary, terminating: boolean) => {
    const next = pod(false);
    pods = [...pods.map(each => (each === old ? { ...each, terminating } : each)), next];
    if (!terminating) pods = pods.filter(({ name }) => name !== old.name);
    waiting.push(() => {
      pods = pods.filter(({ name }) => name !== old.name).map(each => (each === next ? { ...each, ready: true } : each));
    });
  };
  const control: Control = {
    pods: async () => {
      const seen = pods;
      for (const happen of waiting) happen();
      waiting = [];
      return seen;
    },
    replicas: async () => 2,
    scale: () => assert.fail('nobody scales'),
    killPod: async (_service, name) => {
      const ready = pods.filter(each => each.ready).length;
      done.push(`${name} killed, ${ready} ready before`);
      replace(pods.find(each => each.name === name) ?? assert.fail(name), false);
    },
    restart: async () => {
      done.push('restarted');
      for (const each of pods) replace(each, true);
    },
  };
  return { control, done };
}

const names = (pods: readonly PodSummary[]) => pods.map(({ name }) => name);

describe('replacing all pods of a service', () => {
  const { signal } = new AbortController();
  const known = async () => {};

  it('restartAll resolves when the old pods are gone and the new ones are ready', async () => {
    const { control, done } = fakeService();
    const { before, after } = await restartAll(control, 'users', signal, known);
    assert.deepEqual([done, names(before), names(after)], [['restarted'], ['users-1', 'users-2'], ['users-3', 'users-4']]);
  });

  it('killAll gives no pod any time, and touches none before callers know the one that replaces the one before', async () => {
    const { control, done } = fakeService();
    const { before, after } = await killAll(control, 'users', signal, async pods => {
      done.push(`${names(pods)} are known`);
    });
    assert.deepEqual(done, ['users-1 killed, 2 ready before', 'users-2,users-3 are known', 'users-2 killed, 2 ready before']);
    assert.deepEqual(
      [names(before), names(after)],
      [
        ['users-1', 'users-2'],
        ['users-3', 'users-4'],
      ],
    );
  });

  it('ends with the run', async () => {
    const { control } = fakeService();
    const stop = new AbortController();
    const never: Control = { ...control, replicas: async () => 3 };
    const rollout = restartAll(never, 'users', stop.signal, known);
    stop.abort();
    await assert.rejects(rollout, { name: 'AbortError' });
  });
});

describe('withPods', () => {
  const { signal } = new AbortController();
  function scaledService(had: number) {
    const scaled: number[] = [];
    let count = had;
    const pod = (_: unknown, n: number): PodSummary => ({ name: `users-${n}`, address: '', ready: true, terminating: false });
    const control: Control = {
      pods: async () => Array.from({ length: count }, pod),
      replicas: async () => count,
      scale: async (_service, replicas) => {
        scaled.push(replicas);
        count = replicas;
      },
      killPod: () => assert.fail('nobody deletes'),
      restart: () => assert.fail('nobody restarts'),
    };
    return { control, scaled };
  }

  it('gives the service back its number of pods, also when the work fails or the run is stopped', async () => {
    const { control, scaled } = scaledService(2);
    assert.equal(await withPods(control, 'users', 4, signal, async pods => pods.length), 4);
    await assert.rejects(
      withPods(control, 'users', 4, signal, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    const stop = new AbortController();
    const stopped = withPods(control, 'users', 4, stop.signal, async () => {
      stop.abort();
      stop.signal.throwIfAborted();
    });
    await assert.rejects(stopped, { name: 'AbortError' });
    assert.deepEqual(scaled, [4, 2, 4, 2, 4, 2]);
  });

  it('scales nothing that has as many pods as it shall', async () => {
    const { control, scaled } = scaledService(3);
    assert.equal(await withPods(control, 'users', 3, signal, async pods => pods.length), 3);
    assert.deepEqual(scaled, []);
  });
});
