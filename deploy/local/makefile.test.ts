import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'node:test';
import { repo } from './paths.ts';
import { type TestFolder, testFolder } from './testing-chart.ts';

/** A folder with the Makefile, packages that are installed, and a Node that only prints its arguments. */
function makefileFolder(): TestFolder {
  const folder = testFolder();
  copyFileSync(join(repo, 'Makefile'), join(folder.dir, 'Makefile'));
  mkdirSync(join(folder.dir, 'node_modules', '.bin'), { recursive: true });
  writeFileSync(join(folder.dir, 'package-lock.json'), '{}');
  utimesSync(join(folder.dir, 'package-lock.json'), 1, 1);
  writeFileSync(join(folder.dir, 'node_modules', '.package-lock.json'), '{}');
  writeFileSync(join(folder.dir, 'node_modules', '.bin', 'node'), '#!/bin/sh\nfor a; do printf "<%s>" "$a"; done; echo\n', {
    mode: 0o755,
  });
  return folder;
}

function make(
  folder: TestFolder,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: unknown; out: string; error: string }> {
  return new Promise(resolve => {
    // The outer make's variables, when these tests are run by make, are not meant for this one.
    const {
      MAKEFLAGS: _,
      MAKELEVEL: __,
      MFLAGS: ___,
      SERVICE: ____,
      N: _____,
      NAME: ______,
      SET: _______,
      TIMES: ________,
      NAMESPACE: _________,
      EDGE: __________,
      PORT: ___________,
      ADDRESS: ____________,
      ...outer
    } = process.env;
    execFile('make', args, { cwd: folder.dir, env: { ...outer, ...env } }, (failure, out, error) =>
      resolve({ code: failure === null ? 0 : failure.code, out, error }),
    );
  });
}

describe('the Makefile', () => {
  it('lists its verbs when no verb is given', async () => {
    using folder = makefileFolder();
    const { code, out } = await make(folder, []);
    assert.equal(code, 0);
    for (const verb of [
      'help',
      'setup',
      'up',
      'down',
      'status',
      'logs',
      'restart',
      'scale',
      'lab',
      'scenario',
      'prove',
      'new-authority',
      'bench-telemetry',
      'bench-hops',
      'bench-records',
      'check',
      'format',
      'generate',
      'baseline',
      'test',
      'clean',
    ]) {
      assert.match(out, new RegExp(`^  make ${verb} +\\S`, 'm'));
    }
  });

  it('hands SERVICE and N over as they are, whatever they hold', async () => {
    using folder = makefileFolder();
    const service = "a b'; echo $HOME $(id)";
    assert.equal(
      (await make(folder, ['scale'], { SERVICE: service, N: '3' })).out,
      `<deploy/local/main.ts><scale><${service}><3>\n`,
    );
    assert.equal((await make(folder, ['logs', 'SERVICE=users'])).out, '<deploy/local/main.ts><logs><--follow><users>\n');
    assert.equal((await make(folder, ['logs'])).out, '<deploy/local/main.ts><logs><--follow>\n');
  });

  it('hands each word of NAME and of SET, and EDGE, over as they are', async () => {
    using folder = makefileFolder();
    const run = '<--disable-warning=ExperimentalWarning><services/lab/cli.ts><run>';
    assert.equal((await make(folder, ['scenario'], { NAME: 'a $(id) *' })).out, `${run}<a><$(id)><*>\n`);
    const elsewhere = await make(folder, ['lab', 'EDGE=edge:80']);
    assert.equal(elsewhere.out, `${run.replace('run', '--address')}<edge:80><list>\n`);
    const cluster = await make(folder, ['lab', 'NAMESPACE=mesh']);
    assert.equal(cluster.out, `${run.replace('run', '--namespace')}<mesh><list>\n`);
    const set = await make(folder, ['scenario', 'NAME=all', 'SET=rate=50 seconds=2']);
    assert.equal(set.out, `${run}<all><--set><rate=50><--set><seconds=2>\n`);
    const times = await make(folder, ['prove', 'TIMES=10']);
    assert.equal(times.out, `${run.replace('run', 'prove')}<--times><10>\n`);
    const { code, error } = await make(folder, ['scenario']);
    assert.equal(code, 2);
    assert.match(error, /^usage: make scenario NAME=deadlines/);
  });

  it('takes where the edge is, and which mesh is asked, from its command line and not from the environment', async () => {
    using folder = makefileFolder();
    const up = '<deploy/local/main.ts><up>';
    assert.equal((await make(folder, ['up', 'PORT=8081'])).out, `${up}<--port><8081>\n`);
    assert.equal((await make(folder, ['up', 'PORT=a $$(id)'])).out, `${up}<--port><a $(id)>\n`);
    const both = await make(folder, ['up', 'PORT=8081', 'ADDRESS=127.0.0.2']);
    assert.equal(both.out, `${up}<--port><8081><--address><127.0.0.2>\n`);
    assert.equal((await make(folder, ['up'], { PORT: '3000', ADDRESS: '10.0.0.1' })).out, `${up}\n`);
    const lab = '<--disable-warning=ExperimentalWarning><services/lab/cli.ts>';
    assert.equal((await make(folder, ['lab'], { NAMESPACE: 'mesh', EDGE: 'edge:80' })).out, `${lab}<list>\n`);
    assert.equal((await make(folder, ['prove'], { NAMESPACE: 'mesh' })).out, `${lab}<prove>\n`);
  });

  it('asks for what is missing', async () => {
    using folder = makefileFolder();
    for (const args of [['restart'], ['scale', 'SERVICE=users'], ['scale', 'N=3'], ['restart', 'SERVICE=']]) {
      const { code, out, error } = await make(folder, args);
      assert.deepEqual([code, out], [2, '']);
      assert.match(error, new RegExp(`^usage: make ${args[0]} SERVICE=users`));
    }
  });

  it('says where to get Node when there is none, or an old one, before it installs', async () => {
    using folder = makefileFolder();
    utimesSync(join(folder.dir, 'node_modules', '.package-lock.json'), 0, 0);
    const bin = join(folder.dir, 'bin');
    mkdirSync(bin);
    for (const tool of ['make', 'bash']) symlinkSync(which(tool), join(bin, tool));
    const none = await make(folder, ['up'], { PATH: bin });
    assert.match(none.error, /^Node\.js 20 or later and its npm are needed: https:\/\/nodejs\.org\//);
    for (const [tool, script] of [
      ['node', 'echo 18'],
      ['npm', 'exit 9'],
    ])
      writeFileSync(join(bin, tool ?? ''), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    assert.match((await make(folder, ['up'], { PATH: bin })).error, /^Node\.js 20 or later/);
  });
});

function which(tool: string): string {
  const found = (process.env.PATH ?? '').split(delimiter).find(dir => existsSync(join(dir, tool)));
  assert.ok(found, `no ${tool} on PATH`);
  return join(found, tool);
}
