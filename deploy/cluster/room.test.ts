import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { roomProblems } from './room.ts';

test('roomProblems names a port that is taken, by whom, and inotify instances that run out, before kind makes anything', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-room-'));
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  const file = join(folder, 'kind.yaml');
  await writeFile(file, `nodes: [{role: control-plane, extraPortMappings: [{hostPort: ${port}, listenAddress: 127.0.0.1}]}]`);
  const machine = { threads: new Map(), instances: { used: 120, limit: 128, holders: [] } };
  const [taken = '', inotify = ''] = await roomProblems(file, machine);
  assert.match(taken, new RegExp(`^port ${port} on 127\\.0\\.0\\.1 is taken by pid ${process.pid} .*make down`));
  assert.match(
    inotify,
    /^inotify instances run out: 120 of 128 are in use, .*sudo sysctl fs\.inotify\.max_user_instances=512$/,
  );
  holder.close();
  await once(holder, 'close');
  assert.deepEqual(await roomProblems(file, { threads: new Map() }), []);
  await rm(folder, { recursive: true });
});
