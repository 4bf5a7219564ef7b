import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { endOfProgram, startProgram } from '../../services/kit/testing-program.ts';
import { pidRecords } from './pid-records.ts';
import { processIdentity } from './process-identity.ts';
import { runInfo } from './run-folder.ts';
import type { Status } from './status.ts';
import { deployment, headlessService, type TestFolder, testFolder } from './testing-chart.ts';
import { waitUntil } from './wait.ts';

const main = join(import.meta.dirname, 'main.ts');
/** Each test file's own address for the edge, so that none meets a run of the user's. */
const address = `127.213.${process.pid >> 8}.${process.pid & 255}`;

const begin = (folder: TestFolder, ...args: string[]) => startProgram(main, ['--run-dir', folder.paths.dir, ...args]);

const mesh = (folder: TestFolder, ...args: string[]) => endOfProgram(begin(folder, ...args));

function chartOf(folder: TestFolder, env: Record<string, string> = {}): string {
  const users = deployment('users', 2, { containers: [folder.container('app', 8082, env)] });
  return folder.chart([
    headlessService('users'),
    users,
    deployment('edge', 1, { containers: [folder.container('envoy', 8080)] }),
  ]);
}

const upArgs = (folder: TestFolder) => ['up', '--chart', chartOf(folder), '--address', address];

/** The processes that the run has recorded. */
function recorded(folder: TestFolder): number[] {
  return readdirSync(folder.paths.pids).map(name => Number.parseInt(name, 10));
}

const alive = (pids: number[]) => pids.filter(pid => processIdentity(pid) !== undefined);

describe('the command line, with a run', () => {
  let folder: TestFolder;
  before(() => {
    folder = testFolder();
  });
  after(async () => {
    await mesh(folder, 'down');
    folder[Symbol.dispose]();
  });

  it('up returns when all pods are ready, says where the edge is, and leaves a run behind', async () => {
    const { code, out, err } = await mesh(folder, ...upArgs(folder));
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^tools: .*\nchart: 3 objects\npods: 0\/3 ready\n.*pods: 3\/3 ready\n/s);
    assert.match(out, new RegExp(`ready: http://${address}:8080\n`));
    assert.equal((await fetch(`http://${address}:8080/`)).status, 200);
  });

  it('up a second time fails, says who runs, and leaves the first run alone', async () => {
    const before = recorded(folder);
    const { code, err } = await mesh(folder, ...upArgs(folder));
    assert.equal(code, 1);
    assert.match(err, /^already running since \d{4}-.* \(pid \d+\)\. See it with: make status\. End it with: make down\.\n$/);
    assert.deepEqual(alive(before), before);
    assert.equal((await mesh(folder, 'status')).code, 0);
  });

  it('status shows a row for each pod, as a table and as JSON', async () => {
    const { code, out } = await mesh(folder, 'status');
    assert.equal(code, 0);
    assert.match(
      out,
      /^edge http.*\nSERVICE +POD +ADDRESS +READY +RESTARTS +AGE\nedge +edge-\S+ +127\.213\.\S+ +yes +0 +\d+s\nusers /,
    );
    const status = JSON.parse((await mesh(folder, 'status', '--json')).out) as Status;
    assert.deepEqual([status.ready, status.edge, status.pods.length], [true, `${address}:8080`, 3]);
  });

  it('scale and restart wait for the end and say what happened', async () => {
    assert.match((await mesh(folder, 'scale', 'users', '3')).out, /^users: 3 pods, was 2, in \d+\.\d s\n$/);
    assert.match((await mesh(folder, 'scale', 'users', '3')).out, /^users: has 3 pods already\n$/);
    assert.match((await mesh(folder, 'restart', 'users')).out, /^users: 3 pods replaced in \d+\.\d s\n$/);
    const { pods } = JSON.parse((await mesh(folder, 'status', '--json')).out) as Status;
    assert.deepEqual(
      pods.map(({ service }) => service),
      ['edge', 'users', 'users', 'users'],
    );
  });

  it('logs shows what containers wrote; a reader that has seen enough is no failure', async () => {
    assert.match(
      (await mesh(folder, 'logs', 'users', '-n', '5')).out,
      /^users-\S+\.app \[telltale\] users-\S+\/app ended: code 0$/m,
    );
    const follow = begin(folder, 'logs', '--follow');
    const ended = once(follow, 'exit');
    follow.stdout.destroy();
    await mesh(folder, 'restart', 'users');
    assert.deepEqual(await ended, [0, null]);
  });

  const refused: [args: string[], code: number, message: RegExp][] = [
    [['restart', 'user'], 2, /^unknown service "user"\. Did you mean users\? Services: edge, users\n$/],
    [['scale', 'payment', '2'], 2, /unknown service "payment"/],
    [['logs', 'user'], 2, /unknown service "user"/],
    [['scale', 'edge', '2'], 1, /^edge has one address on this machine, so it can have one pod only\n$/],
    [['scale', 'users', '51'], 1, /spec\.replicas: 51 is not a whole number from 0 to 50/],
    [['scale', 'users', '-1'], 2, /'-1' is invalid/],
    [['scale', 'users', '1.5'], 2, /must be a whole number/],
    [['scale', 'users'], 2, /missing required argument 'pods'/],
    [['restart'], 2, /missing required argument 'service'/],
    [['statsu'], 2, /unknown command 'statsu'\n\(Did you mean status\?\)/],
    [['status', '--jsno'], 2, /unknown option '--jsno'\n\(Did you mean --json\?\)/],
    [['logs', '-n', 'x'], 2, /must be a whole number/],
    [['up', '--address', '10.0.0.1'], 2, /must be a loopback address/],
  ];
  for (const [args, code, message] of refused) {
    it(`refuses "${args.join(' ')}" with ${code} and one message`, async () => {
      const found = await mesh(folder, ...args);
      assert.equal(found.code, code, found.err);
      assert.match(found.err, message);
      assert.doesNotMatch(found.err, /\n +at /);
    });
  }

  it('down ends every process, twice if asked', async () => {
    const pids = [...recorded(folder), runInfo(folder.paths.dir)?.pid ?? 0];
    assert.deepEqual([pids.length, alive(pids)], [5, pids]);
    assert.match((await mesh(folder, 'down')).out, /^stopped \(pid \d+\)\n$/);
    assert.deepEqual(alive(pids), []);
    assert.deepEqual(await mesh(folder, 'down'), { code: 0, out: 'nothing was running\n', err: '' });
    assert.deepEqual(await mesh(folder, 'status'), { code: 1, out: 'not running; start it with: make up\n', err: '' });
    assert.match((await mesh(folder, 'restart', 'users')).err, /^not running; start it with: make up\n$/);
  });
});

describe('the command line, when a start does not end well', () => {
  it('down ends what a supervisor that was killed has left, and up works again', async () => {
    using folder = testFolder();
    assert.equal((await mesh(folder, ...upArgs(folder))).code, 0);
    const left = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }); // what the kernel did not end with the supervisor
    pidRecords(folder.paths.pids).add(left.pid ?? 0, 'users/left');
    const pids = recorded(folder);
    process.kill(runInfo(folder.paths.dir)?.pid ?? 0, 'SIGKILL');
    assert.equal((await mesh(folder, 'status')).code, 1);
    assert.match((await mesh(folder, 'down')).out, new RegExp(`^ended a leftover: users/left \\(pid ${left.pid}\\)$`, 'm'));
    assert.deepEqual(alive(pids), []);
    assert.equal(existsSync(folder.paths.pids), false);
    assert.equal((await mesh(folder, ...upArgs(folder))).code, 0);
    assert.equal((await mesh(folder, 'down')).code, 0);
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    it(`up that is ended by ${signal} while it waits leaves nothing running`, async () => {
      using folder = testFolder();
      const child = begin(folder, 'up', '--chart', chartOf(folder, { READY: 'false' }), '--address', address);
      const ended = endOfProgram(child);
      assert.ok(await waitUntil(() => existsSync(folder.paths.pids) && recorded(folder).length === 3, { timeoutMs: 20_000 }));
      const pids = [...recorded(folder), runInfo(folder.paths.dir)?.pid ?? 0];
      child.kill(signal);
      const { code, err } = await ended;
      if (signal === 'SIGINT') assert.deepEqual([code, err], [130, 'interrupted\n']);
      assert.ok(await waitUntil(() => alive(pids).length === 0, { timeoutMs: 10_000 }));
      assert.equal(existsSync(folder.paths.supervisor), false);
    });
  }

  it('up that cannot start says why, with the last lines of the container, and leaves nothing running', async () => {
    using folder = testFolder();
    const { code, err } = await mesh(folder, 'up', '--chart', chartOf(folder, { FAIL: 'no disk' }), '--address', address);
    assert.equal(code, 1);
    assert.match(err, /users-\S+\/app ended with code 7.*cannot start: no disk/s);
    assert.doesNotMatch(err, /\n +at /);
    assert.equal(runInfo(folder.paths.dir), undefined);
    assert.doesNotMatch(readFileSync(join(folder.paths.dir, 'supervisor.log'), 'utf8'), /TypeError/);
  });

  it('a run whose folder is removed ends by itself: nobody could end it any more', async () => {
    using folder = testFolder();
    assert.equal((await mesh(folder, ...upArgs(folder))).code, 0);
    const pids = [...recorded(folder), runInfo(folder.paths.dir)?.pid ?? 0];
    rmSync(folder.paths.dir, { recursive: true });
    assert.ok(await waitUntil(() => alive(pids).length === 0, { timeoutMs: 15_000 }));
  });

  it('two that start at once: one runs, the other says so', async () => {
    using folder = testFolder();
    const args = upArgs(folder);
    const results = await Promise.all([mesh(folder, ...args), mesh(folder, ...args)]);
    assert.deepEqual(results.map(({ code }) => code).sort(), [0, 1]);
    assert.match(results.find(({ code }) => code === 1)?.err ?? '', /already running/);
    assert.equal((await mesh(folder, 'status')).code, 0);
    await mesh(folder, 'down');
  });
});
