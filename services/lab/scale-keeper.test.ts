import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Control } from './control.ts';
import { keepScale } from './scale-keeper.ts';

describe('keepScale', () => {
  const { signal } = new AbortController();
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'telltale-scaled-'));
  });
  after(() => rm(folder, { recursive: true }));

  /** A mesh of two pods of users and one of orders; `refusals` counts down the calls that are not answered. */
  function mesh() {
    const world = { replicas: { users: 2, orders: 1 } as Record<string, number>, refusals: 0 };
    const never = () => assert.fail('nobody does');
    const control: Control = {
      pods: never,
      killPod: never,
      restart: never,
      replicas: async service => world.replicas[service] ?? 0,
      scale: async (service, count) => {
        if (world.refusals-- > 0) throw new Error('no answer');
        world.replicas[service] = count;
      },
    };
    return { world, control, keeper: () => keepScale(control, join(folder, 'scaled.json')) };
  }

  it('gives every service its number back when it begins again after it was killed', async () => {
    const { world, keeper } = mesh();
    const { control } = keeper();
    await control.scale('users', 4, signal);
    await control.scale('users', 6, signal);
    await control.scale('orders', 3, signal);
    assert.deepEqual(world.replicas, { users: 6, orders: 3 });
    await keeper().putBack();
    assert.deepEqual(world.replicas, { users: 2, orders: 1 });
    assert.deepEqual(await readdir(folder), [], 'nothing is noted any more');
  });

  it('forgets what has its number again, so that who changes it later is left alone', async () => {
    const { world, keeper } = mesh();
    const { control } = keeper();
    await control.scale('users', 4, signal);
    await control.scale('users', 2, signal);
    world.replicas.users = 5;
    await keeper().putBack();
    assert.equal(world.replicas.users, 5);
  });

  it('tries again until it is answered, and keeps the note when it is not', async () => {
    const { world, keeper } = mesh();
    await keeper().control.scale('users', 4, signal);
    world.refusals = 1;
    const stop = new AbortController();
    const stopped = keeper().putBack(stop.signal);
    setTimeout(() => stop.abort(), 100);
    await assert.rejects(stopped, /no answer/);
    world.refusals = 1;
    await keeper().putBack();
    assert.equal(world.replicas.users, 2);
  });
});
