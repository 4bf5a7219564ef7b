// Checks the chart with several sets of values: helm lint, the manifests against a golden file, each Envoy file by Envoy itself,
// Prometheus' file and rules by promtool 3 where there is one; and its READMEs against its values.
// `npm run check:chart -- --update` writes golden files and READMEs anew.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { valueRows, withValues } from './chart-readme.ts';
import type { KubeObject } from './local/manifest.ts';
import { repo } from './local/paths.ts';
import { parseObjects } from './local/render.ts';
import { podRewrite } from './local/rewrite.ts';
import { runCommand } from './local/run-command.ts';
import { locateTool } from './local/tools.ts';
import { chart, renderText, runHelm } from './run-helm.ts';

/** The sets of values: a name, and the files on top of the chart's own values. */
const sets: Record<string, string[]> = {
  default: [],
  local: [join(repo, 'deploy', 'local', 'values.yaml')],
  'external-database': [join(chart, 'ci', 'external-database-values.yaml')],
  production: [join(chart, 'ci', 'production-values.yaml')],
  'edge-only': [join(chart, 'ci', 'edge-only-values.yaml')],
  'cert-manager': [join(chart, 'ci', 'cert-manager-values.yaml')],
  collector: [join(chart, 'ci', 'collector-values.yaml')],
  'edge-tls': [join(chart, 'ci', 'edge-tls-values.yaml')],
  'prometheus-operator': [join(chart, 'ci', 'prometheus-operator-values.yaml')],
};

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

const { values: options } = parseArgs({ options: { update: { type: 'boolean', default: false } } });
const envoy = await locateTool('envoy', console.error);
// No package carries it, so it cannot be fetched. Debian's is of version 2, and without Kubernetes' discovery.
const [, promtool] = /version (\d+)\./.exec((await runCommand('promtool', ['--version'])) ?? '') ?? [];
if (Number(promtool ?? 0) < 3) {
  console.log(
    `left  Prometheus' file: it needs promtool 3 in PATH, where there is ${promtool ? `version ${promtool}` : 'none'}`,
  );
}
for (const [name, files] of Object.entries(sets)) await checkSet(name, files);
for (const folder of [chart, join(chart, 'charts', 'observability')]) {
  await check(relative(repo, join(folder, 'README.md')), () => checkReadme(folder));
}

async function checkSet(name: string, files: string[]): Promise<void> {
  const args = files.flatMap(file => ['-f', file]);
  await check(`${name}: helm lint`, () => runHelm('lint', '--strict', chart, ...args));
  const text = await renderText(...args);
  await check(`${name}: golden file`, () => compareGolden(join(chart, 'ci', `${name}.golden.yaml`), stable(text)));
  const configs = (parseObjects(text) as ConfigMap[]).filter(({ kind }) => kind === 'ConfigMap');
  for (const config of configs.filter(({ data }) => data?.['envoy.yaml']))
    await check(`${name}: ${config.metadata.name}`, () => validate(config));
  const [prometheus, rules] = ['prometheus', 'prometheus-rules'].map(each =>
    configs.find(config => config.metadata.name === each),
  );
  if (Number(promtool ?? 0) >= 3 && prometheus && rules)
    await check(`${name}: prometheus`, () => validatePrometheus(prometheus, rules));
}

async function check(what: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
    console.log(`ok    ${what}`);
  } catch (error) {
    console.log(`wrong ${what}\n${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

/** The text without what changes with every .proto, dashboard or rule and says nothing to a reader, and without code. */
function stable(text: string): string {
  return text
    .split('\n---\n')
    .map(object => {
      const generated = /^kind: PrometheusRule$|^ {2}name: (prometheus-rules|grafana-dashboard-.*)$/m.test(object);
      return generated ? object.replace(/^(data|spec):\n[\s\S]*$/m, '$1: (generated)') : object;
    })
    .join('\n---\n')
    .replace(/^( *telltale\.binpb: ).+$/gm, '$1(generated)')
    .replace(/^( *json\.lua: \|\n)(?: +.*\n|\n)+?(?=binaryData:)/gm, '$1(code)\n')
    .replace(/^( *password: ).+$/gm, '$1(made at the installation)')
    .replace(/^( *url: postgresql:\/\/telltale:).+(@.+)$/gm, '$1(the same)$2')
    .replace(/^( *checksum\/config: )[0-9a-f]{64}$/gm, '$1(of the file)');
}

async function compareGolden(file: string, text: string): Promise<void> {
  if (options.update) return writeFile(file, text);
  const golden = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  const lines = text.split('\n');
  const at = lines.findIndex((line, i) => line !== golden[i]);
  if (at < 0 && lines.length === golden.length) return;
  const line = at < 0 ? lines.length : at;
  throw new Error(
    `${file}:${line + 1}: differs\n- ${golden[line] ?? '(the end)'}\n+ ${lines[line] ?? '(the end)'}\nif that is meant: npm run check:chart -- --update`,
  );
}

async function checkReadme(folder: string): Promise<void> {
  const file = join(folder, 'README.md');
  const text = await readFile(file, 'utf8');
  const fresh = withValues(text, valueRows(await readFile(join(folder, 'values.yaml'), 'utf8')));
  if (options.update) return writeFile(file, fresh);
  if (fresh !== text)
    throw new Error(`${file}: its table is not that of values.yaml; write it anew: npm run check:chart -- --update`);
}

/** Has Envoy read a file as it would at its start, with the folders that a pod would mount moved to a temporary one. */
async function validate({ data = {}, binaryData = {} }: ConfigMap): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-chart-'));
  try {
    const [etc, endpoints, identity, run] = ['envoy', 'endpoints', 'identity', 'run'].map(name => join(folder, name)) as [
      string,
      string,
      string,
      string,
    ];
    await Promise.all([etc, endpoints, identity, run].map(each => mkdir(each)));
    const rewrite = podRewrite(
      '127.0.0.1',
      new Map([
        ['/etc/envoy', etc],
        ['/etc/envoy-endpoints', endpoints],
        ['/etc/telltale/identity', identity],
        ['/run/envoy', run],
      ]),
    );
    for (const [key, text] of Object.entries(data)) await writeFile(join(etc, key), rewrite(text));
    for (const [key, base64] of Object.entries(binaryData)) await writeFile(join(etc, key), Buffer.from(base64, 'base64'));
    const [, ...watched] = data['envoy.yaml']?.split('path: /etc/envoy-endpoints/') ?? [];
    for (const rest of watched) await writeFile(join(endpoints, rest.slice(0, rest.search(/[,}\s]/))), 'resources: []\n');
    await validateFile(join(etc, 'envoy.yaml'));
    // What is read only when Envoy runs, as if it stood in that file.
    const secrets = Object.entries(data)
      .filter(([key]) => key.endsWith('.yaml') && key !== 'envoy.yaml')
      .flatMap(([, text]) => secretsIn(rewrite(text)));
    await writeFile(join(etc, 'secrets.json'), JSON.stringify({ static_resources: { secrets } }));
    await validateFile(join(etc, 'secrets.json'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Has Envoy read one file; throws what it says is wrong. */
async function validateFile(file: string): Promise<void> {
  await runCommand(envoy, ['--mode', 'validate', '--log-level', 'error', '-c', file]);
}

/** The secrets of a file that Envoy discovers them by, as they stand in a file that it starts with. */
function secretsIn(text: string): object[] {
  const { resources } = parse(text) as { resources: Record<string, unknown>[] };
  return resources.map(({ '@type': _, ...secret }) => secret);
}

/** Has promtool read Prometheus' file and the rules that it names. */
async function validatePrometheus(prometheus: ConfigMap, rules: ConfigMap): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-chart-'));
  try {
    const text = prometheus.data?.['prometheus.yaml'] ?? '';
    await writeFile(join(folder, 'prometheus.yml'), text.replaceAll('/etc/prometheus-rules', folder));
    for (const [key, rule] of Object.entries(rules.data ?? {})) await writeFile(join(folder, key), rule);
    await runCommand('promtool', ['check', 'config', '--lint-fatal', join(folder, 'prometheus.yml')]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
