import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { watchesOf } from './envoy-files.ts';
import { type Machine, readMachine } from './machine.ts';
import type { ConfigMap } from './manifest.ts';
import { inotifyProblems, needsOf, resourceProblems } from './resources.ts';
import { deployment } from './testing-chart.ts';

const plenty: Machine = {
  instances: { used: 10, limit: 128, holders: [{ pid: 7, command: 'kubelet --config x', count: 10 }] },
  watches: { used: 10, limit: 8192 },
  threads: new Map([['kernel.pid_max', { used: 100, limit: 32_768 }]]),
  openFiles: 1024,
  memory: 4 * 2 ** 30,
  disk: 2 ** 30,
};
const needs = { instances: 61, threads: 170, openFiles: 512, memory: 2 ** 30, disk: 2 ** 26 };

describe('resourceProblems', () => {
  it('says nothing of a machine that has enough, nor of what cannot be read', () => {
    assert.deepEqual(resourceProblems(plenty, needs), []);
    assert.deepEqual(resourceProblems({ threads: new Map() }, needs), []);
  });

  it('names all that runs out at once, each with the command that helps', () => {
    const poor: Machine = {
      instances: { used: 100, limit: 128, holders: [{ pid: 7, command: 'kubelet', count: 90 }] },
      watches: { used: 8190, limit: 8192 },
      threads: new Map([
        ['ulimit -u', { used: 900, limit: 1000 }],
        ['kernel.pid_max', { used: 32_700, limit: 32_768 }],
        ['pids.max of /sys/fs/cgroup/x', { used: 90, limit: 100 }],
      ]),
      openFiles: 256,
      memory: 2 ** 28,
      disk: 2 ** 20,
    };
    assert.deepEqual(resourceProblems(poor, needs), [
      'inotify instances run out: 100 of 128 are in use (90 by pid 7 kubelet), and 61 are needed (fs.inotify.max_user_instances). ' +
        'Allow more: sudo sysctl fs.inotify.max_user_instances=512',
      'inotify watches run out: 8190 of 8192 are in use, and 61 are needed (fs.inotify.max_user_watches). ' +
        'Allow more: sudo sysctl fs.inotify.max_user_watches=32768',
      'processes run out: 900 of 1000 threads are in use, and 170 are needed (ulimit -u): ulimit -u 2048',
      'processes run out: 32700 of 32768 threads are in use, and 170 are needed (kernel.pid_max): sudo sysctl kernel.pid_max=65536',
      'processes run out: 90 of 100 threads are in use, and 170 are needed (pids.max of /sys/fs/cgroup/x): ' +
        'set it to 512, such as by --pids-limit of the container',
      'a process may open 256 files, and an Envoy needs 512: ulimit -n 4096',
      '256 MiB of memory can be had, and 1024 MiB are needed: end other programs, or use a larger machine',
      '1 MiB are free where the run keeps its files, and 64 MiB are needed: free some, or use --run-dir',
    ]);
  });

  it('takes the last instance, and not one more', () => {
    const instances = { used: 67, limit: 128, holders: [] };
    assert.deepEqual(inotifyProblems({ threads: new Map(), instances }, 61), []);
    assert.equal(inotifyProblems({ threads: new Map(), instances: { ...instances, used: 68 } }, 61).length, 1);
  });
});

describe('needsOf', () => {
  it('counts what each pod takes: an inotify instance for each file and folder that its Envoy follows', () => {
    const endpoints = '{path: /endpoints/lab.yaml, watched_directory: {path: /endpoints}}';
    const clusters = `a: {path_config_source: ${endpoints}}, b: {path_config_source: {path: /envoy/identity.yaml}}, c: {path_config_source: {path: /envoy/identity.yaml}}`;
    const data = { 'envoy.yaml': `{${clusters}}`, 'identity.yaml': 'resources: [{watched_directory: {path: /identity}}]' };
    const config: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'users-envoy' }, data };
    const containers = [
      { name: 'envoy', image: 'envoyproxy/envoy:distroless-v1.40.0' },
      { name: 'app', image: 'telltale:0.1.0' },
    ];
    const users = deployment('users', 2, { containers, volumes: [{ name: 'envoy', configMap: { name: 'users-envoy' } }] });
    assert.equal(watchesOf(users, [config]), 3);
    const { instances, threads, memory } = needsOf([users, config]);
    assert.deepEqual([instances, threads, memory], [6, 38, 220 * 2 ** 20]);
  });
});

describe('readMachine', () => {
  it('counts the inotify instances and watches of this user, and says who has them', async () => {
    const before = readMachine('/tmp');
    const script = 'require("node:fs").watch("/tmp"); require("node:fs").watch("/"); console.log()';
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      const after = readMachine('/tmp');
      // Tests of others may run at the same time, so this one's own process is looked for.
      assert.ok((after.instances?.used ?? 0) > 0 && (after.watches?.used ?? 0) > 1);
      assert.equal(after.instances?.limit, before.instances?.limit);
      assert.ok(Number(readFileSync('/proc/sys/fs/inotify/max_user_instances', 'utf8')) >= (after.instances?.limit ?? 0));
      assert.ok((after.instances?.holders.length ?? 0) > 0);
    } finally {
      child.kill();
    }
  });

  it('reads what is left of files, threads, memory and disk', () => {
    const { openFiles = 0, memory = 0, disk = 0, threads } = readMachine('/tmp');
    assert.ok(openFiles > 0 && memory > 0 && disk > 0);
    assert.ok((threads.get('kernel.pid_max')?.used ?? 0) > 1);
    for (const { used, limit } of threads.values()) assert.ok(used <= limit);
  });
});
