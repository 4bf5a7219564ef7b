import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startServer, type TestServer } from '../kit/testing.ts';
import { until } from '../kit/testing-matchers.ts';
import { type Ended, endOfProgram, startProgram } from '../kit/testing-program.ts';
import { createTestLab, type TestLab } from './testing-lab.ts';

const CLI = join(import.meta.dirname, 'cli.ts');
const RATE = 'rate: must be a whole number from 1 to 1000 calls/s, is ';
const NO_NAME = "argument '.*' is invalid. write name=value, such as rate=50.";
const NO_ADDRESS = 'is invalid. write host:port, such as 127.0.0.1:8080.';
const NO_PATH = 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor .., is ';
const NO_FADE = 'no scenario is named "fade"; did you mean fake? There are: fake\n';
const NO_ID = 'result_id: must be an id that ListResults gives, is ';

/** What is typed after `telltale --address <the lab's>`, and what is said; each exits with 2 and prints nothing else. */
const refused: [args: string[], says: string][] = [
  [[], 'Usage: telltale [options] [command]'],
  [['rnu'], "error: unknown command 'rnu'\n(Did you mean run?)\n"],
  [['--adress', 'x', 'list'], "error: unknown option '--adress'\n(Did you mean --address?)\n"],
  [['run', 'fake', '--jsno'], "error: unknown option '--jsno'\n(Did you mean --json?)\n"],
  [['list', '--set', 'rate=5'], "error: unknown option '--set'\n"],
  [['list', 'extra'], "error: too many arguments for 'list'. Expected 0 arguments but got 1: extra.\n"],
  [['run'], "error: missing required argument 'scenario'\n"],
  [['describe'], "error: missing required argument 'scenario'\n"],
  [['compare', 'a'], "error: missing required argument 'b'\n"],
  [['run', 'fake', '--set'], "error: option '--set <key=value>' argument missing\n"],
  [['prove', '--out'], "error: option '--out <folder>' argument missing\n"],
  [['--namespace', 'x', 'list'], "cannot be used with option '--address <host:port>'\n"],
  [['run', 'fade'], NO_FADE],
  [['run', 'fake', 'fade'], NO_FADE],
  [['describe', 'fade'], NO_FADE],
  [['results', 'fade'], NO_FADE],
  [['describe', '帆'], `scenario: ${NO_PATH}"帆"\n`],
  [['run', 'all', 'fake'], 'all are all scenarios: name no other beside it\n'],
  [['run', ''], `scenario: ${NO_PATH}""\n`],
  [['run', '\u001b[31mred'], `scenario: ${NO_PATH}"\\u001b[31mred"\n`],
  [['show', 'nothing'], `${NO_ID}"nothing"\n`],
  [['show', '../../etc/passwd'], `result_id: ${NO_PATH}"../../etc/passwd"\n`],
  [['compare', 'a', 'b'], `${NO_ID}"a"\n`],
  ...['0', '-1', 'NaN', '1e9', 'abc', '1001', '1.5', '0x10', ' 5', '', '٣', '5 calls/s'].map((value): [string[], string] => [
    ['run', 'fake', '--set', `rate=${value}`],
    `${RATE}"${value}"\n`,
  ]),
  ...['5s', '1m', '0', '31', '-1'].map((value): [string[], string] => [
    ['run', 'fake', '--set', `seconds=${value}`],
    `seconds: must be a whole number from 1 to 30 s, is "${value}"\n`,
  ]),
  [['run', 'fake', '--set', 'seconds'], 'seconds: must be a whole number from 1 to 30 s, is ""\n'],
  [['run', 'fake', '--set', 'seconds=30', '--set', 'repetitions=4'], 'would last 240 s; set at most 22\n'],
  [['run', 'fake', '--set', 'arrivals=posson'], 'arrivals: must be one of fixed, poisson, burst, is "posson"\n'],
  [['run', 'fake', '--set', 'raet=5'], 'raet: no such parameter; did you mean rate?'],
  [['run', 'fake', '--set', 'toString=5'], 'toString: no such parameter;'],
  ...['=5', '__proto__=5', ' rate=5', `${'x'.repeat(100_000)}=5`].map((set): [string[], string] => [
    ['run', 'fake', '--set', set],
    NO_NAME,
  ]),
  ...['nowhere', 'host:', ':8080', 'host:0', 'host:65536', 'http://127.0.0.1:8080', ''].map((address): [string[], string] => [
    ['--address', address, 'list'],
    NO_ADDRESS,
  ]),
];

describe('telltale refuses with 2', { concurrency: 2 }, () => {
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

  for (const [args, says] of refused) {
    it(`telltale ${JSON.stringify(args.join(' ')).slice(1, 60)}`, async () => {
      const { code, out, err } = await endOfProgram(startProgram(CLI, ['--address', server.address, ...args]));
      assert.deepEqual([code, out], [2, ''], err);
      assert.ok(says === NO_NAME ? new RegExp(says).test(err) : err.includes(says), err);
      plain(err);
    });
  }

  it('and has begun nothing for any of them', () => assert.equal(own.world.begun, 0));
});

describe('telltale, when it is not the words that are wrong,', { concurrency: 2 }, () => {
  let own: TestLab;
  let server: TestServer;
  let folder: string;
  before(async () => {
    own = await createTestLab();
    server = await startServer([own.binding]);
    folder = await mkdtemp(join(tmpdir(), 'telltale cli 帆 '));
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await own[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const telltale = (...args: string[]) => endOfProgram(startProgram(CLI, ['--address', server.address, ...args]));
  /** What a shell makes of it, with the command as "$@". */
  const shell = (script: string, ...args: string[]) =>
    new Promise<Ended>(resolve => {
      const command = [process.execPath, CLI, '--address', server.address, ...args];
      execFile('bash', ['-o', 'pipefail', '-c', script, 'bash', ...command], (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });

  it('says that nobody answers, or that nobody is of that name', async () => {
    for (const address of ['127.0.0.1:1', 'nosuchhost.invalid:80']) {
      const { code, out, err } = await endOfProgram(startProgram(CLI, ['--address', address, 'list']));
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, new RegExp(`^no lab answers at ${address}\\. Start one with: make up`));
    }
  });

  it('ends well when its reader has seen enough', async () => {
    assert.deepEqual(await shell('"$@" | true', 'list'), { code: 0, out: '', err: '' });
    const { code, out, err } = await shell('"$@" | head -n 1', 'list');
    assert.deepEqual([code, err, out.split('\n').length], [0, '', 2]);
  });

  it('says that its output cannot be written', async () => {
    assert.deepEqual(await shell('"$@" >/dev/full', 'list'), {
      code: 1,
      out: '',
      err: 'the output cannot be written (ENOSPC)\n',
    });
  });

  it('needs no home, no terminal and no ASCII', async () => {
    const env = { HOME: '/nowhere', TERM: undefined, LANG: 'C' };
    const { code, out, err } = await endOfProgram(startProgram(CLI, ['--address', server.address, 'list'], env));
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /fake/);
    plain(out);
  });

  it('writes a proof into a folder with spaces and letters of any kind, and says where it cannot', async () => {
    const there = await telltale('prove', '--out', join(folder, 'ein Ørdner'));
    assert.deepEqual([there.code, there.err], [0, '']);
    await mkdir(join(folder, 'full'));
    await symlink('/dev/full', join(folder, 'full', 'proof.json'));
    await writeFile(join(folder, 'file'), '');
    for (const [out, code] of [
      ['full', 'ENOSPC'],
      ['file', 'EEXIST'],
      ['file/below', 'ENOTDIR'],
    ] as const) {
      const { code: exit, err } = await telltale('prove', '--out', join(folder, out));
      assert.equal(exit, 1);
      assert.equal(err, `--out: ${join(folder, out)} cannot be written (${code}); name another folder\n`);
    }
  });
});

describe('telltale run', () => {
  it('beside another run says that there is one, and ends at once when Ctrl-C comes twice', async () => {
    await using own = await createTestLab();
    await using server = await startServer([own.binding]);
    const run = startProgram(CLI, ['--address', server.address, 'run', 'fake', '--set', 'wait=20000']);
    const ended = endOfProgram(run);
    await until(() => own.world.begun > 5);
    const second = await endOfProgram(startProgram(CLI, ['--address', server.address, 'run', 'fake']));
    assert.deepEqual([second.code, second.out], [1, '']);
    assert.match(second.err, /^FAILED_PRECONDITION: fake-\S+ is under way; wait for its end, or stop it\n$/);
    plain(second.err);
    run.kill('SIGINT');
    run.kill('SIGINT');
    assert.equal((await ended).code, 130);
    await until(() => own.world.open === 0); // nobody waits for it, so the lab has ended it
  });
});

/** Neither a stack trace nor a command to a terminal. */
function plain(text: string): void {
  assert.doesNotMatch(text, /\n +at |node:|\.ts\b/);
  assert.ok(!text.includes('\u001b'), text);
}
