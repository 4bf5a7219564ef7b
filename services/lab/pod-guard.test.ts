import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Control } from './control.ts';
import { guardPods } from './pod-guard.ts';
import type { PodLife } from './pod-lives.ts';

/** Two pods of users and one of orders, and a guard that has looked at them once. */
async function guarded() {
  const { signal } = new AbortController();
  const replicas: Record<string, number> = { users: 2, orders: 1 };
  const pod = (name: string, restarts = 0): PodLife => ({ name, service: name.split('-')[0] ?? '', restarts });
  let pods = [pod('users-1'), pod('users-2'), pod('orders-1')];
  const summary = ({ name }: PodLife) => ({ name, address: '', ready: true, terminating: false });
  const control: Control = {
    pods: async service => pods.filter(each => each.service === service).map(summary),
    replicas: async service => replicas[service] ?? 0,
    killPod: async () => {},
    scale: async (service, count) => {
      replicas[service] = count;
    },
    restart: async () => {},
  };
  const guard = guardPods(control, async () => pods);
  await guard.look(signal);
  const change = (...names: string[]) => {
    pods = names.map(name => pod(name));
  };
  return {
    guard,
    signal,
    change,
    restarted: (name: string) => (pods = pods.map(each => (each.name === name ? pod(name, 1) : each))),
  };
}

describe('guardPods', () => {
  const ALL = ['users-1', 'users-2', 'orders-1'];

  it('names pods that are gone and pods whose processes were started again, once', async () => {
    const { guard, signal, change, restarted } = await guarded();
    change('users-1', 'users-3', 'orders-1');
    restarted('orders-1');
    await assert.rejects(guard.look(signal), { reason: 'POD_LOST', message: /^users-2 of users, orders-1 of orders ended or/ });
    await guard.look(signal);
  });

  it('is not surprised by what the run itself does to pods', async () => {
    const { guard, signal, change } = await guarded();
    await guard.control.killPod('users', 'users-2', signal);
    change('users-1', 'users-3', 'orders-1');
    await guard.look(signal);
    await guard.control.restart('users', signal);
    change('users-4', 'users-5', 'orders-1');
    await guard.look(signal);
    change('users-4', 'orders-1');
    await assert.rejects(guard.look(signal), /users-5 of users/);
  });

  it('is surprised by another pod than the one that the run has ended', async () => {
    const { guard, signal, change } = await guarded();
    await guard.control.killPod('users', 'users-2', signal);
    change('users-3', 'users-4', 'orders-1');
    await assert.rejects(guard.look(signal), /^RpcError: users-1 of users ended/);
  });

  it('leaves out a service that the run scales, until it has as many pods again as it shall', async () => {
    const { guard, signal, change } = await guarded();
    await guard.control.scale('users', 4, signal);
    await guard.control.scale('users', 2, signal);
    change('users-2', 'users-3', 'users-4', 'orders-1');
    await guard.look(signal);
    change('users-3', 'users-4', 'orders-1');
    await guard.look(signal);
    change(...ALL);
    await assert.rejects(guard.look(signal), /users-3 of users, users-4 of users/);
  });
});
