import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { bind } from '../kit/server.ts';
import { startServer, type TestServer } from '../kit/testing.ts';
import { until } from '../kit/testing-matchers.ts';
import { endOfProgram, startProgram } from '../kit/testing-program.ts';
import type { Proof } from './cli/prove.ts';
import type { Result } from './result.ts';
import { createTestLab, type TestLab } from './testing-lab.ts';

const CLI = join(import.meta.dirname, 'cli.ts');

describe('telltale', () => {
  let own: TestLab;
  let server: TestServer;
  before(async () => {
    own = await createTestLab();
    server = await startServer([own.binding]);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await own[Symbol.asyncDispose]();
  });

  const start = (address: string, ...args: string[]) => startProgram(CLI, ['--address', address, ...args]);
  const telltale = (...args: string[]) => endOfProgram(start(server.address, ...args));

  it('list and describe say what there is and what can be set', async () => {
    const list = await telltale('list');
    assert.deepEqual([list.code, list.err], [0, '']);
    assert.match(list.out, /fake +│ the one is faster than the other/);
    const { out } = await telltale('describe', 'fake');
    for (const part of [
      /other \(control\): answers after 100 ms/,
      /rate: .*1 to 1000 calls\/s, default 50/,
      /one is at most 10/,
    ]) {
      assert.match(out, part);
    }
    assert.equal(JSON.parse((await telltale('describe', 'fake', '--json')).out).parameters[0].max, 1000);
  });

  it('run prints the arms side by side, bars, checks and a verdict, and exits with 0 when all checks pass', async () => {
    const { out, err, code } = await telltale('run', 'fake');
    assert.deepEqual([code, err], [0, ''], 'progress is for terminals');
    assert.match(out, /one .*│ +other \(control\)/);
    assert.match(out, /Time, ms .*│ +1 │ +100/);
    assert.match(out, /Calls begun late by p50 \/ p99 \/ max, ms .*│ +\d+\.\d \/ \d+\.\d \/ \d+\.\d │/);
    assert.match(out, /Event-loop delay of the lab p50 \/ p99 \/ max, ms .*│ +\d+\.\d \/ \d+\.\d \/ \d+\.\d │/);
    assert.match(out, /other {2}█{40} 100/);
    assert.match(out, /✔ one is at most 10: 1,1/);
    assert.match(out, /holds: “the one is faster than the other” holds here\./);
    assert.match(out, /not tested:\n {2}- Everything else\./);
  });

  it('run --json prints the result document and nothing else; results, show and compare find it again', async () => {
    const results = [await telltale('run', 'fake', '--json'), await telltale('run', 'all', '--json')];
    const [first, [second]] = results.map(({ out }) => JSON.parse(out)) as [Result, [Result]];
    assert.deepEqual([first.schemaVersion, second.passed], [1, true]);
    assert.equal(JSON.parse((await telltale('run', 'fake', 'fake', '--json')).out).length, 2);
    const { out } = await telltale('results', 'fake');
    for (const { id } of [first, second]) assert.match(out, new RegExp(`${id} │ .*holds`));
    assert.deepEqual(JSON.parse((await telltale('show', first.id, '--json')).out), first);
    const compared = await telltale('compare', first.id, second.id);
    assert.equal(compared.code, 0);
    assert.match(compared.out, /other +│ Time, ms +│ +100 │ +100 │ +1/);
    const broken = 'fake-20200101-000000-0000';
    await writeFile(join(own.folder, `${broken}.json`), JSON.stringify({ ...first, verdict: {} }));
    const { err, code } = await telltale('compare', first.id, broken);
    assert.deepEqual([code, err.match(/^\S+ this is no result: #\/verdict:/m)?.length], [1, 1], err);
  });

  it('prove writes the results of all scenarios as one document and one page, and exits with 1 unless all have passed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'telltale-proof-'));
    try {
      const good = await telltale('prove', '--out', join(folder, 'new'));
      assert.deepEqual([good.code, good.err], [0, '']);
      assert.match(good.out, /written: .*proof\.json, .*proof\.html/);
      const proof = JSON.parse(await readFile(join(folder, 'new', 'proof.json'), 'utf8')) as Proof;
      assert.deepEqual([proof.schemaVersion, proof.passed, proof.results.map(({ scenario }) => scenario)], [2, true, ['fake']]);
      assert.match(await readFile(join(folder, 'new', 'proof.html'), 'utf8'), /1 of 1 scenarios passed/);
      own.world.reports = false;
      const bad = await telltale('prove', '--json', '--out', folder);
      own.world.reports = true;
      assert.deepEqual([bad.code, JSON.parse(bad.out).written.length], [1, 2]);
      assert.match(await readFile(join(folder, 'proof.html'), 'utf8'), /0 of 1 scenarios passed/);
      await writeFile(join(folder, 'file'), '');
      const { begun } = own.world;
      const nowhere = await telltale('prove', '--out', join(folder, 'file'));
      assert.deepEqual([nowhere.code, own.world.begun], [1, begun], 'it says so before it runs anything');
      assert.match(nowhere.err, /^--out: .* cannot be written \(EEXIST\); name another folder\n$/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('prove writes what there is when a scenario cannot be run; --times runs each several times', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'telltale-proof-'));
    const proof = async () => JSON.parse(await readFile(join(folder, 'proof.json'), 'utf8')) as Proof;
    try {
      own.world.fails = new TypeError('a mistake');
      const bad = await telltale('prove', '--out', folder);
      own.world.fails = undefined;
      assert.deepEqual([bad.code, bad.err], [1, 'not run: fake: internal error\n']);
      assert.deepEqual((await proof()).notRun, [{ scenario: 'fake', because: 'internal error' }]);
      const twice = await telltale('prove', '--times', '2', '--out', folder);
      assert.deepEqual([twice.code, twice.err], [0, '']);
      assert.match(twice.out, /^1 of 2: fake: holds\n2 of 2: fake: holds\n/);
      const [repeats] = (await proof()).repeats;
      assert.deepEqual([repeats?.runs, repeats?.verdicts, repeats?.checks[0]?.passed], [2, { holds: 2 }, 2]);
      assert.match(await readFile(join(folder, 'proof.html'), 'utf8'), /In 2 runs/);
      assert.equal((await telltale('prove', '--times', '0')).code, 2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('run exits with 1 when a check has failed or nothing could be told', async () => {
    own.world.reports = false;
    const { code, out } = await telltale('run', 'fake');
    own.world.reports = true;
    assert.equal(code, 1);
    assert.match(out, /inconclusive: Evidence is missing/);
  });

  it('exits with 2 for what cannot be meant, and lists every wrong parameter at once', async () => {
    const wrong = await telltale('run', 'fake', '--set', 'raet=1', '--set', 'rate=9999', '--set', 'seconds');
    assert.equal(wrong.code, 2);
    const [first, second, third, ...more] = wrong.err.trim().split('\n');
    assert.match(first ?? '', /^raet: no such parameter; did you mean rate\?/);
    assert.match(second ?? '', /^rate: must be a whole number from 1 to 1000 calls\/s, is "9999"$/);
    assert.match(third ?? '', /^seconds: must be a whole number from 1 to 30 s, is ""$/);
    assert.deepEqual(more, []);
    const unknown = await telltale('run', 'fade');
    assert.deepEqual([unknown.code, unknown.out], [2, '']);
    assert.match(unknown.err, /no scenario is named "fade"; did you mean fake\?/);
    assert.equal((await telltale('rnu')).code, 2);
    assert.equal((await endOfProgram(start('nowhere', 'list'))).code, 2);
  });

  it('says what to start when nobody answers, and what to set where the edge leads to no lab; both exit with 1', async () => {
    const nobody = await endOfProgram(start('127.0.0.1:1', 'list'));
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /^no lab answers at 127\.0\.0\.1:1\. Start one with: make up/);
    const handlers = { getUser: () => ({ id: 1, name: 'x', age: 18 }), listUsers: () => ({ users: [], nextPageToken: '' }) };
    await using other = await startServer([bind(UserServiceService, handlers)]);
    const without = await endOfProgram(start(other.address, 'list'));
    assert.equal(without.code, 1);
    assert.match(without.err, /leads to no lab: install the chart with experiments=true/);
  });

  it('--namespace goes by a port forward of kubectl, and says what kubectl said when there is none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'telltale-kubectl-'));
    const list = (namespace: string) => endOfProgram(startProgram(CLI, ['--namespace', namespace, 'list'], { PATH: folder }));
    const kubectl = (script: string) => writeFile(join(folder, 'kubectl'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    try {
      const nowhere = await list('mesh');
      assert.deepEqual([nowhere.code, nowhere.out], [1, '']);
      assert.match(
        nowhere.err,
        /^port 8080 of service\/edge cannot be brought here: kubectl cannot be run: .*ENOENT; see https/,
      );
      const [, port] = server.address.split(':');
      await kubectl(
        `[ "$*" = "--namespace mesh port-forward service/edge :8080" ] || { echo "no namespace $2" >&2; exit 1; }\n` +
          `echo "Forwarding from 127.0.0.1:${port} -> 8080"; exec /bin/sleep 60`,
      );
      const there = await list('mesh');
      assert.deepEqual([there.code, there.err], [0, '']);
      assert.match(there.out, /fake +│/);
      const elsewhere = await list('other');
      assert.deepEqual(
        [elsewhere.code, elsewhere.err],
        [1, 'port 8080 of service/edge cannot be brought here: no namespace other\n'],
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('Ctrl-C stops the run, waits for its clean-up, shows the incomplete result, and exits with 130', async () => {
    const { begun } = own.world;
    const child = start(server.address, 'run', 'fake', '--set', 'wait=20000');
    const end = endOfProgram(child);
    await until(() => own.world.begun > begun + 5);
    child.kill('SIGINT');
    const { out, code } = await end;
    assert.equal(code, 130);
    assert.match(out, /incomplete: The run was stopped after 0 of 4 repetitions/);
    assert.equal(own.world.open, 0);
  });
});
