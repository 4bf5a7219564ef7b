import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, unlink, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Store } from './store.ts';
import { folderStore } from './store-folder.ts';
import { testStore } from './testing-store.ts';

describe('folderStore', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'telltale-identities-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  testStore(async () => folderStore(root));

  /** Writes `files` on top of whatever is there. */
  const put = async (store: Store, files: Record<string, string | undefined>) =>
    store.write('one', files, (await store.read('one')).version);

  it('lays a folder out like the volume of a Secret, which a rename replaces, for its owner only', async () => {
    const store = folderStore(root);
    await put(store, { 'tls.crt': '1', 'ca.crt': '1' });
    const folder = join(root, 'one');
    const link = await readlink(join(folder, '..data'));
    await put(store, { 'tls.crt': '2', 'ca.crt': undefined, 'tls.key': '2' });
    assert.deepEqual((await readdir(folder)).filter(name => !name.startsWith('..')).sort(), ['tls.crt', 'tls.key']);
    assert.equal(await readlink(join(folder, 'tls.crt')), join('..data', 'tls.crt'));
    assert.notEqual(await readlink(join(folder, '..data')), link);
    assert.equal(await readFile(join(folder, 'tls.crt'), 'utf8'), '2');
    assert.equal(await readFile(join(folder, link, 'tls.crt'), 'utf8'), '1', 'gone under the eyes of who reads it');
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await stat(join(folder, '..data'))).mode & 0o777, 0o700);
    assert.equal((await stat(join(folder, '..data', 'tls.key'))).mode & 0o777, 0o600);
  });

  it('keeps the files of now and those before, however often it writes', async () => {
    const store = folderStore(root);
    for (let i = 0; i < 5; i++) await put(store, { 'tls.crt': String(i) });
    assert.deepEqual((await readdir(join(root, 'one'))).sort(), ['..4', '..5', '..data', 'tls.crt']);
  });

  it('ends, at the next read, what a killed issuer has begun', async () => {
    const store = folderStore(root);
    const folder = join(root, 'one');
    await put(store, { 'tls.crt': '1' });
    await put(store, { 'tls.crt': '2', 'tls.key': '2' });
    // Killed before the links were made.
    await Promise.all([unlink(join(folder, '..data')), unlink(join(folder, 'tls.key'))]);
    await symlink('..1', join(folder, '..data'));
    assert.deepEqual((await store.read('one')).files, { 'tls.crt': '2', 'tls.key': '2' });
    assert.equal(await readFile(join(folder, 'tls.key'), 'utf8'), '2');
    // Killed while it wrote files: an hour ago, and a moment ago, which may be one that lives.
    await Promise.all([mkdir(join(folder, '..new-old')), mkdir(join(folder, '..new-fresh'))]);
    const then = new Date(Date.now() - 3_600_000);
    await utimes(join(folder, '..new-old'), then, then);
    assert.deepEqual((await store.read('one')).files, { 'tls.crt': '2', 'tls.key': '2' });
    const left = (await readdir(folder)).filter(name => name.startsWith('..new-'));
    assert.deepEqual(left, ['..new-fresh']);
  });

  it('says what is wrong with a folder that it cannot use', async () => {
    const store = folderStore('/dev/null/identities');
    await assert.rejects(store.write('one', { a: '1' }, '0'), { code: 'ENOTDIR' });
  });
});
