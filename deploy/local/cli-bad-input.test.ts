import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { endOfProgram, startProgram } from '../../services/kit/testing-program.ts';
import { deployment, type TestFolder, testFolder } from './testing-chart.ts';

const main = join(import.meta.dirname, 'main.ts');
/** Each test file's own address for the edge, so that none meets a run of the user's. */
const address = `127.214.${process.pid >> 8}.${process.pid & 255}`;
const NUMBER = 'It must be a whole number, such as 3.\n';
const LOOPBACK = 'It must be a loopback address, such as 127.0.0.2.\n';

/** What is typed after `mesh`, the exit code, and how what is said ends; nothing runs in the folder. */
const refused: [args: string[], code: 1 | 2, says: string][] = [
  [['pu'], 2, "error: unknown command 'pu'\n(Did you mean up?)\n"],
  [['up', '--adress', '127.0.0.2'], 2, "error: unknown option '--adress'\n(Did you mean --address?)\n"],
  [['up', '--address'], 2, "error: option '--address <ip>' argument missing\n"],
  ...['0.0.0.0', 'localhost', '127.0.0.256', '127.1', '::1', ''].map((value): [string[], 2, string] => [
    ['up', '--address', value],
    2,
    `error: option '--address <ip>' argument '${value}' is invalid. ${LOOPBACK}`,
  ]),
  ...['0', '65536', '-1', '80a', '1e3', ''].map((value): [string[], 2, string] => [
    ['up', '--port', value],
    2,
    `error: option '--port <n>' argument '${value}' is invalid. It must be a whole number from 1 to 65535, such as 8081.\n`,
  ]),
  [['up', '--chart'], 2, "error: option '--chart <folder>' argument missing\n"],
  [['up', '--set'], 2, "error: option '--set <key=value>' argument missing\n"],
  [['up', 'extra'], 2, "error: too many arguments for 'up'. Expected 0 arguments but got 1: extra.\n"],
  [['status', 'extra'], 2, "error: too many arguments for 'status'. Expected 0 arguments but got 1: extra.\n"],
  [['logs', '-n'], 2, "error: option '-n, --lines <n>' argument missing\n"],
  ...['-1', '1e9', 'NaN', '1.5', '١'].map((value): [string[], 2, string] => [
    ['logs', '-n', value],
    2,
    `error: option '-n, --lines <n>' argument '${value}' is invalid. ${NUMBER}`,
  ]),
  ...['abc', 'NaN', '1e9', ''].map((value): [string[], 2, string] => [
    ['scale', 'users', value],
    2,
    `error: command-argument value '${value}' is invalid for argument 'pods'. ${NUMBER}`,
  ]),
  [['logs'], 1, 'there are no logs; start a run with: make up\n'],
  [['logs', 'users'], 1, 'there are no logs; start a run with: make up\n'],
  [['restart', 'users'], 1, 'not running; start it with: make up\n'],
  [['scale', 'users', '2'], 1, 'not running; start it with: make up\n'],
];

describe('mesh, when nothing runs,', { concurrency: 2 }, () => {
  let folder: TestFolder;
  before(() => {
    folder = testFolder();
  });
  after(() => folder[Symbol.dispose]());

  const mesh = (args: readonly string[], env: Record<string, string | undefined> = {}, runDir = folder.paths.dir) =>
    endOfProgram(startProgram(main, ['--run-dir', runDir, ...args], env));
  /** `up` that fails: exits with 1, says this, and leaves nothing running. */
  const upFails = async (says: RegExp, args: readonly string[], env: Record<string, string | undefined> = {}, name = '') => {
    const runDir = join(folder.dir, name || `run-${Math.random()}`);
    const { code, err } = await mesh(['up', '--address', address, ...args], env, runDir);
    assert.equal(code, 1, err);
    assert.match(err, says);
    assert.doesNotMatch(err, /\n +at |node:/);
    assert.equal((await mesh(['down'], {}, runDir)).out, 'nothing was running\n');
  };
  const chart = (name: string, text: string) => {
    const dir = join(folder.dir, name);
    mkdirSync(join(dir, 'templates'), { recursive: true });
    writeFileSync(join(dir, 'Chart.yaml'), text);
    return dir;
  };
  /** A PATH with these programs only; each prints a version, or is no program at all. */
  const path = (name: string, programs: Record<string, string>) => {
    const dir = join(folder.dir, name);
    mkdirSync(dir, { recursive: true });
    for (const [program, text] of Object.entries(programs)) {
      writeFileSync(join(dir, program), text);
      chmodSync(join(dir, program), 0o755);
    }
    return dir;
  };
  const version = (text: string) => `#!/bin/sh\necho '${text}'\n`;

  for (const [args, expected, says] of refused) {
    it(`mesh ${args.join(' ')} exits with ${expected} and one message`, async () => {
      const { code, out, err } = await mesh(args);
      assert.deepEqual([code, out, err], [expected, '', says]);
      assert.equal(existsSync(folder.paths.dir), false);
    });
  }

  it('without a command shows what there is, and exits with 2', async () => {
    const { code, err } = await mesh([]);
    assert.equal(code, 2);
    assert.match(err, /^Usage: mesh \[options\] \[command\]\n/);
  });

  it('status is 1, down is 0', async () => {
    assert.deepEqual(await mesh(['status']), { code: 1, out: 'not running; start it with: make up\n', err: '' });
    assert.deepEqual(await mesh(['down']), { code: 0, out: 'nothing was running\n', err: '' });
  });

  it('up takes no folder of a run that cannot be written', async () => {
    writeFileSync(join(folder.dir, 'file'), '');
    const use = (name: string, code: string) =>
      new RegExp(`^the folder of the run, .*${name}, cannot be written \\(${code}\\): name another with --run-dir\n$`);
    await upFails(use('file', 'EEXIST'), [], {}, 'file');
    await upFails(use('file/below', 'ENOTDIR'), [], {}, 'file/below');
    await upFails(/^the folder .* has a "," in its path, which Envoy's files cannot hold\./, [], {}, 'a,b');
  });

  it('up takes no chart that is none', async () => {
    await upFails(/^helm cannot render the chart .*path "\/nowhere" not found\n$/s, ['--chart', '/nowhere']);
    await upFails(/does not appear to be a gzipped archive/, ['--chart', main]);
    await upFails(/unable to detect chart/, ['--chart', path('empty', {})]);
    await upFails(/chart\.metadata|Chart\.yaml/, ['--chart', chart('no-name', 'apiVersion: v2\n')]);
    await upFails(/key "x" has no value/, ['--set', 'x']);
    await upFails(/at '\/services\/usres': missing properties/, ['--set', 'services.usres.replicas=1']);
  });

  it('up reads a chart with a byte order mark and CRLF, and says what else is wrong with it', async () => {
    const dir = chart('crlf', '\uFEFFapiVersion: v2\r\nname: test\r\nversion: 0.0.1\r\n');
    writeFileSync(join(dir, 'templates', 'broken.yaml'), '{{ .x\r\n');
    await upFails(/parse error at \(test\/templates\/broken\.yaml:\d\): unclosed action/, ['--chart', dir]);
  });

  it('up names who holds a port that is taken', async () => {
    const holder = createServer();
    await new Promise<void>(resolve => holder.listen(8080, address, resolve));
    const dir = folder.chart([deployment('edge', 1, { containers: [folder.container('envoy', 8080)] })]);
    await upFails(new RegExp(`^port 8080 on ${address} is taken by pid ${process.pid} \\(`), ['--chart', dir]);
    holder.close();
  });

  it('up says which program is missing, too old or for another machine, and where to get it', async () => {
    const preload = join(folder.dir, 'arch.mjs');
    writeFileSync(preload, 'Object.defineProperty(process, "arch", { value: "riscv64" });\n'); // for which none is fetched
    const rows: [programs: Record<string, string>, missing: string][] = [
      [{}, 'helm 3.19'],
      [{ helm: version('v3.18.9+g1') }, 'helm 3.19'],
      [{ helm: '\x7fELF' }, 'helm 3.19'],
      [{ helm: version('v4.2.3') }, 'envoy 1.40'],
      [{ helm: version('v4.2.3'), envoy: version('envoy  version: 1/1.39.9/Clean/RELEASE') }, 'envoy 1.40'],
      [{ helm: version('v4.2.3'), envoy: '\x7fELF' }, 'envoy 1.40'],
    ];
    for (const [index, [programs, missing]] of rows.entries()) {
      const env = { PATH: path(`bin-${index}`, programs), NODE_OPTIONS: `--import=${preload}` };
      const says = `no ${missing} on PATH, and none to fetch for linux riscv64: install ${missing} or later so that it is on PATH`;
      await upFails(new RegExp(says.replaceAll('.', '\\.')), [], env);
    }
  });

  it('an output that cannot be written is said, one whose reader is gone is not', async () => {
    const shell = (script: string) =>
      new Promise<[unknown, string]>(resolve => {
        const command = [
          '-o',
          'pipefail',
          '-c',
          script,
          'bash',
          process.execPath,
          main,
          '--run-dir',
          folder.paths.dir,
          '--help',
        ];
        execFile('bash', command, (error, _, err) => resolve([error?.code ?? 0, err]));
      });
    assert.deepEqual(await shell('"$@" >/dev/full'), [1, 'the output cannot be written (ENOSPC)\n']);
    assert.deepEqual(await shell('"$@" | true'), [0, '']);
  });

  it('up works where the path has spaces and letters of any kind, without a home, and leaves nothing but logs and volumes', async () => {
    const runDir = join(folder.dir, 'ein Ørdner 帆');
    const dir = folder.chart([deployment('edge', 1, { containers: [folder.container('envoy', 8080)] })]);
    const env = { HOME: '/dev/null', TERM: undefined };
    const other = address.replace('127.214.', '127.215.'); // the one before has its port taken meanwhile
    const { code, err } = await mesh(['up', '--address', other, '--chart', dir], env, runDir);
    assert.deepEqual([code, err], [0, '']);
    assert.equal((await mesh(['status'], env, runDir)).code, 0);
    assert.match((await mesh(['down'], env, runDir)).out, /^stopped \(pid \d+\)\n$/);
    assert.deepEqual(readdirSync(runDir).sort(), ['logs', 'supervisor.log', 'volumes']);
  });
});
