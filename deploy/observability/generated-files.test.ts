import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { differingFiles, writeGenerated } from './generated-files.ts';

it('the files in the chart are what deploy/observability makes; if not: npm run generate:observability', async () => {
  assert.deepEqual(await differingFiles(), []);
});

it('a file that was changed, removed or is no longer made is found, and written right again', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-observability-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeGenerated(folder);
  assert.deepEqual(await differingFiles(folder), []);
  const [changed, removed, former] = ['rules/slo.yaml', 'dashboards/telltale-mesh.json', 'dashboards/telltale-former.json'];
  await appendFile(join(folder, changed), ' ');
  await rm(join(folder, removed));
  await writeFile(join(folder, former), '{}');
  assert.deepEqual(await differingFiles(folder), [former, removed, changed].sort());
  await writeGenerated(folder);
  assert.deepEqual(await differingFiles(folder), []);
});
