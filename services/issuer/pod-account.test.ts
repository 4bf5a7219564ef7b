import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { podAccount } from './pod-account.ts';

it('podAccount reads the token anew each time, and writes an address of IPv6 as a URL has it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-account-'));
  try {
    await Promise.all([writeFile(join(folder, 'ca.crt'), 'ca'), writeFile(join(folder, 'token'), 'first')]);
    const account = await podAccount({ host: 'fd00::1', port: 443 }, 'mesh', folder);
    assert.deepEqual([account.url, account.ca, await account.token()], ['https://[fd00::1]:443', 'ca', 'first']);
    await writeFile(join(folder, 'token'), 'second');
    assert.equal(await account.token(), 'second');
    assert.equal((await podAccount({ host: '10.96.0.1', port: 443 }, 'mesh', folder)).url, 'https://10.96.0.1:443');
  } finally {
    await rm(folder, { recursive: true });
  }
});
