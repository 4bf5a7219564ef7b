import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { repo } from '../local/paths.ts';
import { dashboards } from './dashboards.ts';
import { sloRules } from './slo-rules.ts';

/** Where the chart keeps what is generated. */
export const generatedFolder = join(repo, 'charts', 'telltale', 'charts', 'observability', 'files');

const sloFile = join('rules', 'slo.yaml');

/** The generated files: the path below {@link generatedFolder} and the text, the same at every run. */
export function generatedFiles(): Map<string, string> {
  const files = dashboards.map(
    dashboard => [join('dashboards', `${dashboard.uid}.json`), `${JSON.stringify(dashboard, undefined, 2)}\n`] as const,
  );
  const rules = stringify(sloRules(), { lineWidth: 0, aliasDuplicateObjects: false });
  const origin = '# Generated from deploy/observability/slo.yaml: npm run generate:observability\n';
  return new Map([...files, [sloFile, `${origin}${rules}`]]);
}

/** Writes the generated files into `folder`, and removes dashboards that are no longer made. */
export async function writeGenerated(folder = generatedFolder): Promise<void> {
  const fresh = generatedFiles();
  for (const file of await dashboardsIn(folder)) if (!fresh.has(file)) await rm(join(folder, file));
  for (const [file, text] of fresh) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
}

/** The files in `folder` that are missing, differ from what would be written, or are no longer made; sorted. */
export async function differingFiles(folder = generatedFolder): Promise<string[]> {
  const fresh = generatedFiles();
  const differs = (await dashboardsIn(folder)).filter(file => !fresh.has(file));
  for (const [file, text] of fresh)
    if ((await readFile(join(folder, file), 'utf8').catch(() => undefined)) !== text) differs.push(file);
  return differs.sort();
}

/** Whatever is there as a dashboard; the rules of mesh.yaml are written by hand. */
async function dashboardsIn(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'dashboards')).catch(() => []);
  return names.map(name => join('dashboards', name));
}
