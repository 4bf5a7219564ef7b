import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Result } from './result.ts';
import { isResultId, openResultStore, resultId } from './result-store.ts';

const result = (id: string) => ({ id }) as Result;

test('a result store keeps the newest results, by their time, and finds nothing outside of its folder', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'telltale-results-'));
  const folder = join(outside, 'results');
  const store = await openResultStore(folder, 2);
  const ids = [1, 2, 3].map(second => resultId(second === 2 ? 'b' : 'a', new Date(Date.UTC(2026, 0, 1, 0, 0, second)), 0.5));
  for (const id of ids) await store.add(result(id));
  assert.deepEqual(await store.ids(), [ids[2], ids[1]]);
  assert.equal((await readdir(folder)).length, 2);
  assert.deepEqual(JSON.parse((await store.find(ids[2] ?? '')) ?? ''), { id: ids[2] });
  const secret = 'secret-20260101-000000-0000';
  await writeFile(join(outside, `${secret}.json`), '{}');
  for (const id of [ids[0] ?? '', `../${secret}`, '../results', '']) assert.equal(await store.find(id), undefined);
  await rm(outside, { recursive: true });
});

test('the id of a result names its scenario and its time', () => {
  const id = resultId('failure-codes', new Date('2026-02-03T04:05:06.789Z'), 0.25);
  assert.equal(id, 'failure-codes-20260203-040506-4000');
  assert.ok(isResultId(id));
});
