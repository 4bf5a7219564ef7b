import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { isKeyOf, parseCertificate } from './certificate.ts';

/** Runs the program as the chart does, with these variables only. */
async function run(env: NodeJS.ProcessEnv, ...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], { env });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}

describe('main', () => {
  let root: string;
  let env: NodeJS.ProcessEnv;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'telltale-issuer-'));
    env = { TELLTALE_NAMESPACE: 'mesh', TELLTALE_IDENTITIES: 'edge,users', TELLTALE_IDENTITY_DIR: root };
  });
  after(() => rm(root, { recursive: true }));

  it('fills folders, leaves them alone when run again, and logs no key', async () => {
    const first = await run(env);
    assert.equal(first.code, 0, first.err);
    const read = (file: string) => readFile(join(root, 'users-identity', file), 'utf8');
    const [leaf, key] = await Promise.all([read('tls.crt'), read('tls.key')]);
    const certificate = parseCertificate(leaf);
    assert.ok(certificate && isKeyOf(certificate, key));
    assert.equal(certificate.subjectAltName, 'URI:spiffe://telltale/ns/mesh/sa/users');
    const lines = first.out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.deepEqual(lines.at(-1).written, 3);
    const again = await run(env);
    assert.equal(JSON.parse(again.out).written, 0);
    assert.equal(await read('tls.crt'), leaf);
    const change = await run({ ...env, TELLTALE_NEW_AUTHORITY: 'true' });
    assert.match(
      change.out,
      /"secret":"identities-authority","files":\["next.crt","next.key"\],"reason":"another was asked for"/,
    );
    assert.doesNotMatch(first.out + first.err + change.out, /PRIVATE|BEGIN/);
    for (const line of key.split('\n').filter(part => part.length > 20)) assert.ok(!first.out.includes(line));
  });

  it('says how it is used, and exits with 2 when it is used otherwise', async () => {
    const help = await run({}, '--help');
    assert.deepEqual([help.code, help.err], [0, '']);
    assert.match(help.out, /^usage: node services\/issuer\/main.ts\n/);
    const unknown = await run(env, '--new');
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /^Unknown option '--new'/);
    const wrong = await run({ TELLTALE_LISTEN: 'nowhere' });
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /TELLTALE_NAMESPACE.*\n.*TELLTALE_IDENTITIES/);
  });

  it('exits with 1 and one line that says why, when it cannot do its work', async () => {
    await writeFile(join(root, 'file'), '');
    const failed = await run({ ...env, TELLTALE_IDENTITY_DIR: join(root, 'file') });
    assert.equal(failed.code, 1);
    assert.match(JSON.parse(failed.out).msg, /ENOTDIR/);
    const alone = await run({ ...env, TELLTALE_IDENTITY_DIR: undefined, KUBERNETES_SERVICE_HOST: '127.0.0.1' });
    assert.equal(alone.code, 1);
    assert.match(JSON.parse(alone.out).msg, /serviceaccount\/ca.crt cannot be read \(ENOENT\); set TELLTALE_IDENTITY_DIR/);
  });
});
