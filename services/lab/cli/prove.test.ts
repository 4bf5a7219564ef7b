import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Proof, writeProof } from './prove.ts';

test('writeProof has not passed without a scenario that was to be run, and names it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-proof-'));
  try {
    const [json = '', page = ''] = await writeProof(folder, ['one'], []);
    const { passed, notRun } = JSON.parse(await readFile(json, 'utf8')) as Proof;
    assert.deepEqual([passed, notRun], [false, ['one']]);
    assert.match(await readFile(page, 'utf8'), /Not run: one/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
