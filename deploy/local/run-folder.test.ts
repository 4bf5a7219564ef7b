import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pidRecords, reapLeftovers } from './pid-records.ts';
import { commandOf, processIdentity } from './process-identity.ts';
import { runInfo, takeRunFolder } from './run-folder.ts';
import { testFolder } from './testing-chart.ts';
import { waitUntil } from './wait.ts';

async function sleeper() {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  return { pid: child.pid ?? 0, child, [Symbol.dispose]: () => child.kill('SIGKILL') };
}

describe('processIdentity', () => {
  it('is the same for one process and gone with it', async () => {
    using process = await sleeper();
    const identity = processIdentity(process.pid);
    assert.ok(identity);
    assert.equal(processIdentity(process.pid), identity);
    assert.equal(commandOf(process.pid), 'sleep 60');
    process.child.kill('SIGKILL');
    assert.ok(await waitUntil(() => processIdentity(process.pid) === undefined, { timeoutMs: 5000 }));
  });
});

describe('reapLeftovers', () => {
  it('kills the processes that were recorded', async () => {
    using folder = testFolder();
    using left = await sleeper();
    pidRecords(folder.paths.pids).add(left.pid, 'users/app');
    assert.deepEqual(await reapLeftovers(folder.paths.pids), [`users/app (pid ${left.pid})`]);
    assert.equal(processIdentity(left.pid), undefined);
    assert.equal(existsSync(folder.paths.pids), false);
  });

  it('leaves a process alone that has the pid of one that was recorded', async () => {
    using folder = testFolder();
    using other = await sleeper();
    mkdirSync(folder.paths.pids, { recursive: true });
    const record = { pid: other.pid, identity: 'another boot:1', what: 'users/app' };
    writeFileSync(join(folder.paths.pids, `${other.pid}.json`), JSON.stringify(record));
    writeFileSync(join(folder.paths.pids, '1.json'), '{"pid": 1, "ident');
    assert.deepEqual(await reapLeftovers(folder.paths.pids), []);
    assert.ok(processIdentity(other.pid));
  });
});

describe('takeRunFolder', () => {
  it('is private, and refused to a second run, which harms nothing', async () => {
    using folder = testFolder();
    const { dir } = folder.paths;
    const first = await takeRunFolder(dir, () => {});
    first.announce('127.0.0.1:8080');
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    await assert.rejects(
      takeRunFolder(dir, () => {}),
      new RegExp(`already running since .*\\(pid ${process.pid}\\).*make down`),
    );
    assert.equal(runInfo(dir)?.edge, '127.0.0.1:8080');
    await first.release();
    assert.equal(runInfo(dir), undefined);
    await (await takeRunFolder(dir, () => {})).release();
  });

  it('ends what an earlier run left and clears its logs and keys, but keeps its volumes', async () => {
    using folder = testFolder();
    using left = await sleeper();
    pidRecords(folder.paths.pids).add(left.pid, 'users/app');
    const { logs, identities, volumes } = folder.paths;
    for (const dir of [logs, identities, volumes]) {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, 'file'), '');
    }
    const lines: string[] = [];
    const taken = await takeRunFolder(folder.paths.dir, line => lines.push(line));
    assert.match(lines.join('\n'), /leftover of an earlier run: users\/app/);
    assert.equal(processIdentity(left.pid), undefined);
    const kept = [logs, identities, volumes].map(dir => existsSync(join(dir, 'file')));
    assert.deepEqual(kept, [false, false, true]);
    mkdirSync(identities);
    await taken.release();
    assert.equal(existsSync(identities), false);
  });

  it('refuses a path that cannot stand in a YAML text', async () => {
    using folder = testFolder();
    await assert.rejects(
      takeRunFolder(join(folder.dir, 'a,b'), () => {}),
      /has a "," in its path/,
    );
  });
});
