import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Container, Deployment, KubeObject, PodSpec, Service } from './manifest.ts';
import { serviceLabel } from './manifest.ts';
import { type RunPaths, runPaths } from './paths.ts';

/** What the test containers run: a small server that writes down what happens to it. */
const program = `
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
const { NAME, LISTEN, EVENTS, FAIL, DEAF, READY = 'true', STOP_MS = '0' } = process.env;
const note = what => appendFileSync(EVENTS, NAME + ' ' + what + '\\n');
note('start');
if (FAIL) { console.error('cannot start: ' + FAIL); process.exit(7); }
const [host, port] = LISTEN.split(':');
createServer((_, response) => response.writeHead(READY === 'true' ? 200 : 503).end(process.argv.slice(2).join(' '))).listen(Number(port), host);
process.on('SIGTERM', () => {
  note('term');
  if (!DEAF) setTimeout(() => { note('exit'); process.exit(0); }, Number(STOP_MS));
});
`;

/** A folder of a test's own with a program for its containers. */
export interface TestFolder extends Disposable {
  readonly dir: string;
  /** The paths of a run within the folder. */
  readonly paths: RunPaths;
  /** What the containers noted, in order: `<name> start`, `<name> term`, `<name> exit`. */
  events(): string[];
  /** A container that listens on `port` of the pod's address; `env` changes how the program behaves. */
  container(name: string, port: number, env?: Record<string, string>, more?: Partial<Container>): Container;
  /** A chart that holds `objects`; returns its folder. */
  chart(objects: readonly KubeObject[]): string;
}

/** Makes the folder; it is removed when disposed. */
export function testFolder(): TestFolder {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-local-'));
  const [app, log] = [join(dir, 'app.mjs'), join(dir, 'events.txt')];
  writeFileSync(app, program);
  writeFileSync(log, '');
  return {
    dir,
    paths: runPaths(join(dir, 'run')),
    events: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
    container(name, port, env = {}, more = {}) {
      const all: Record<string, string> = { NAME: name, LISTEN: `0.0.0.0:${port}`, EVENTS: log, ...env };
      return {
        name,
        image: 'telltale:test',
        command: ['node', app],
        env: Object.entries(all).map(([key, value]) => ({ name: key, value })),
        ports: [{ containerPort: port }],
        readinessProbe: { httpGet: { path: '/ready', port }, periodSeconds: 1 },
        ...more,
      };
    },
    chart(objects) {
      const chart = join(dir, 'chart');
      mkdirSync(join(chart, 'templates'), { recursive: true });
      writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: test\nversion: 0.0.1\n');
      // One action that prints the whole: the content itself must not be read as a template.
      writeFileSync(join(chart, 'objects.yaml'), objects.map(object => stringify(object)).join('---\n'));
      writeFileSync(join(chart, 'templates', 'all.yaml'), '{{ .Files.Get "objects.yaml" }}\n');
      return chart;
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** A Deployment of pods with `spec`. */
export function deployment(name: string, replicas: number, spec: PodSpec): Deployment {
  const labels = { [serviceLabel]: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

/** A headless Service for the pods of the Deployment of the same name. */
export function headlessService(name: string): Service {
  const spec = { clusterIP: 'None', selector: { [serviceLabel]: name }, ports: [{ name: 'grpc', port: 50051 }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
}
