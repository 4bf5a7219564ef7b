import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { endOfProgram } from './testing-program.ts';
import { recordingProxy } from './testing-proxy.ts';

/** Asks a server by every client of Node's, after `before`, and prints what it answers. */
const ASK = (before: string) => `
  import { get } from 'node:http';
  import { text } from 'node:stream/consumers';
  import { connectDirectly } from './connect-directly.ts';
  ${before}
  const url = process.argv[1];
  const by = ask => ask.catch(error => error.message);
  console.log(await by(fetch(url).then(answer => answer.text())));
  console.log(await by(new Promise((resolve, reject) => get(url, answer => resolve(text(answer))).on('error', reject))));
`;

async function ask(before: string, env: Record<string, string>) {
  await using proxy = await recordingProxy();
  const server = createServer((_, answer) => answer.end('direct')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const args = ['--input-type=module-typescript', '--eval', ASK(before), url];
  const options = { cwd: import.meta.dirname, env: { ...process.env, ...proxy.env, ...env } };
  const { out, err } = await endOfProgram(spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
  server.close();
  return { out, err, asked: proxy.asked };
}

describe('connectDirectly', () => {
  for (const env of [{ NODE_USE_ENV_PROXY: '1' }, { NODE_USE_ENV_PROXY: '', NODE_OPTIONS: '--use-env-proxy' }]) {
    it(`has fetch and node:http use no proxy, with ${JSON.stringify(env)}`, async () => {
      const { out, err, asked } = await ask('connectDirectly();', env);
      assert.deepEqual([out, asked], ['direct\ndirect\n', []], err);
    });

    it(`is what makes the difference, with ${JSON.stringify(env)}`, async () => {
      const { asked } = await ask('', env);
      assert.equal(asked.length, 2);
    });
  }
});
