// Writes the dashboards and the rules of the objectives into the chart; with --check says which of them differ instead.
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { repo } from '../local/paths.ts';
import { differingFiles, generatedFolder, writeGenerated } from './generated-files.ts';

const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
if (options.check) await check();
else await writeGenerated();

async function check(): Promise<void> {
  const differs = await differingFiles();
  if (differs.length === 0) return;
  for (const file of differs)
    console.error(`${relative(repo, join(generatedFolder, file))}: differs from what deploy/observability makes`);
  console.error('write it anew: npm run generate:observability');
  process.exitCode = 1;
}
