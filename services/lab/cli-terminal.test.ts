import assert from 'node:assert/strict';
import { type StdioOptions, spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { DescribeScenarioResponse, LabServiceService } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { pause } from '../kit/pause.ts';
import { bind } from '../kit/server.ts';
import { startServer, type TestServer } from '../kit/testing.ts';
import { endOfProgram, startProgram } from '../kit/testing-program.ts';
import { createTestLab, type TestLab } from './testing-lab.ts';
import { sampleResult } from './testing-result.ts';

const CLI = join(import.meta.dirname, 'cli.ts');
const REPOSITORY = join(import.meta.dirname, '..', '..');
const PIPED = ['ignore', 'pipe', 'pipe'] as const satisfies StdioOptions;
/** What a terminal's environment does not have, and that of a build machine may. */
const { CI: _, NO_COLOR: __, ...TERMINAL } = process.env;

describe('telltale, and the terminal around it', () => {
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

  it('shows on a terminal how a run goes, and then its result in colours', async () => {
    const run = [process.execPath, CLI, '--address', server.address, 'run', 'fake'].join(' ');
    const command = `stty cols 120 rows 40; ${run}`; // a terminal that nobody looks at has no size
    const { out, code } = await endOfProgram(
      spawn('script', ['-qec', command, '/dev/null'], { env: { ...TERMINAL, TERM: 'xterm' }, stdio: PIPED }),
    );
    assert.equal(code, 0, out);
    assert.match(out, /fake: one, repetition 1: \d+ of 50 calls/);
    assert.match(out, /fake: other, repetition 2: \d+ of 50 calls/);
    assert.match(out, /fake: done/);
    assert.ok(out.includes('\u001b[32mholds: '), 'the verdict is green');
  });

  it('ends without a word when its reader has seen enough', async () => {
    const child = start(server.address, 'list');
    child.stdout.destroy();
    const [err, code] = await Promise.all([text(child.stderr), new Promise(resolve => child.once('close', resolve))]);
    assert.deepEqual([err, code], ['', 0]);
    const pipe = `set -o pipefail; ${process.execPath} ${CLI} --address ${server.address} describe fake | head -1`;
    const headed = await endOfProgram(spawn('bash', ['-c', pipe], { stdio: PIPED }));
    assert.deepEqual([headed.out, headed.err, headed.code], ['fake: the one is faster than the other\n', '', 0]);
  });

  it('SIGTERM stops the run as Ctrl-C does', async () => {
    const { begun } = own.world;
    const child = start(server.address, 'run', 'fake', '--set', 'wait=20000');
    const end = endOfProgram(child);
    await until(() => own.world.begun > begun + 5);
    child.kill('SIGTERM');
    const { out, code } = await end;
    assert.equal(code, 130);
    assert.match(out, /incomplete: The run was stopped after 0 of 4 repetitions/);
    assert.equal(own.world.open, 0);
  });

  it('a second Ctrl-C waits for nothing, not even for a lab that does not stop', async () => {
    let running = false;
    let asked = 0;
    const never = () => assert.fail('nobody asks');
    const binding = bind(LabServiceService, {
      listScenarios: never,
      describeScenario: () => DescribeScenarioResponse.create(),
      listResults: never,
      getResult: never,
      reportRecords: never,
      stopRun: () => {
        asked++;
        return { stopping: true };
      },
      async *runScenario(_request, { signal }) {
        yield { event: { $case: 'started', value: { runId: 'fake-1', repetitions: 1, seconds: 1 } } };
        running = true;
        await pause(60_000, signal);
      },
    });
    await using deaf = await startServer([binding]);
    const child = start(deaf.address, 'run', 'fake');
    const end = endOfProgram(child);
    await until(() => running);
    child.kill('SIGINT');
    await until(() => asked === 1);
    await wait(300);
    assert.equal(child.exitCode, null, 'the first waits for the result');
    child.kill('SIGINT');
    const { out, code } = await end;
    assert.deepEqual([code, out], [130, '']);
  });

  it('compare refuses results of two scenarios, and exits with 2', async () => {
    const [one, other] = ['fake-20260101-000000-0000', 'fade-20260101-000000-0000'];
    for (const id of [one, other]) await own.results.add({ ...sampleResult, id, scenario: id.slice(0, 4) });
    const { code, out, err } = await endOfProgram(start(server.address, 'compare', one, other));
    assert.deepEqual([code, out, err], [2, '', `${one} is of fake, ${other} of fade: choose two of one scenario\n`]);
  });

  it('is what `npx telltale` runs', async () => {
    const { code, out } = await endOfProgram(
      spawn('npx', ['--no', '--', 'telltale', '--help'], { cwd: REPOSITORY, stdio: PIPED }),
    );
    assert.equal(code, 0);
    assert.match(out, /^Usage: telltale /);
  });
});

/** Waits until it is so, for half a minute: a command takes seconds to begin where many others do. */
async function until(condition: () => boolean): Promise<void> {
  const giveUp = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > giveUp) throw new Error(`not within 30 s: ${condition}`);
    await wait(10);
  }
}
