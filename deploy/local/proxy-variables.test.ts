import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { endOfProgram, startProgram } from '../../services/kit/testing-program.ts';
import { type RecordingProxy, recordingProxy } from '../../services/kit/testing-proxy.ts';
import { repo } from './paths.ts';
import { type TestFolder, testFolder } from './testing-chart.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const CLI = join(repo, 'services', 'lab', 'cli.ts');
const address = `127.215.${process.pid >> 8}.${process.pid & 255}`;
/** Another than the usual one, so that the option is seen to reach the edge, the status and the lab. */
const PORT = '18080';

describe('with the variables of a proxy in the environment', () => {
  let proxy: RecordingProxy;
  let folder: TestFolder;
  before(async () => {
    proxy = await recordingProxy();
    folder = testFolder();
  });
  after(async () => {
    await endOfProgram(startProgram(MAIN, ['--run-dir', folder.paths.dir, 'down'], proxy.env));
    folder[Symbol.dispose]();
    await proxy[Symbol.asyncDispose]();
  });

  const mesh = (...args: string[]) => endOfProgram(startProgram(MAIN, ['--run-dir', folder.paths.dir, ...args], proxy.env));
  const telltale = (...args: string[]) =>
    endOfProgram(startProgram(CLI, ['--address', `${address}:${PORT}`, ...args], proxy.env));
  const works = async (ended: ReturnType<typeof endOfProgram>) => {
    const { code, out, err } = await ended;
    assert.equal(code, 0, `${out}\n${err}`);
    assert.deepEqual(proxy.asked, []);
  };

  it('the whole mesh starts, is changed, and is asked, and nobody asks the proxy', async () => {
    await works(mesh('up', '--address', address, '--port', PORT));
    await works(mesh('status'));
    assert.match((await mesh('status')).out, new RegExp(`^edge http://${address}:${PORT}, `));
    await works(mesh('scale', 'users', '3'));
    await works(mesh('restart', 'payments'));
    await works(telltale('list'));
    const { out, err } = await telltale('run', 'deadlines', '--json', '--set', 'seconds=1', '--set', 'repetitions=2');
    assert.ok(out.startsWith('{'), err);
    assert.equal(JSON.parse(out).conditions.calls, 80, 'two arms, twice 20 calls each');
    assert.deepEqual(proxy.asked, []);
    await works(mesh('down'));
  });

  it('downloads keep the variables', async () => {
    const bin = join(folder.dir, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'npm'), '#!/bin/sh\necho "$http_proxy $https_proxy $all_proxy $HTTP_PROXY $no_proxy"\n', {
      mode: 0o755,
    });
    const script = `
      import { connectDirectly } from ${JSON.stringify(join(repo, 'services/kit/connect-directly.ts'))};
      import { required } from ${JSON.stringify(join(import.meta.dirname, 'tools.ts'))};
      connectDirectly();
      process.stdout.write(await required('npm', ['pack'], {}));
    `;
    const env = { ...process.env, ...proxy.env, PATH: `${bin}:${process.env.PATH}` };
    const args = ['--input-type=module-typescript', '--eval', script];
    const { out, err } = await endOfProgram(spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
    const { http_proxy: url } = proxy.env;
    assert.equal(out, `${url} ${url} ${url} ${url} example.com\n`, err);
  });
});
