import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { latencyMs } from '../local/testing-load.ts';
import { kubectl, podsOf, until } from './kubectl.ts';
import type { LoadOptions, LoadReport } from './load.ts';

/** The sources that the load is made of and that the image lacks; each is mounted where its imports expect it. */
const SOURCES = ['deploy/e2e/load.ts', 'deploy/local/testing-load.ts'];
/** The options; no argument, for a pod's arguments are stored again whenever its state changes, and captures look for texts in them. */
const OPTIONS = 'deploy/e2e/load.json';

/**
 * Calls a second: what two cores bear while pods start on them, with TLS at each hop and every call traced. E2E_RATE says more for
 * a cluster that has more.
 */
export const RATE = Number(process.env.E2E_RATE ?? 40);

const DEFAULTS: LoadOptions = {
  address: 'serviceb:50051',
  rate: RATE,
  deadlineMs: 5000,
  policy: 'default',
  ordersOfTen: 1,
  usersOfTen: 0,
  sku: 'sail',
  mark: '',
  userId: 0,
  streams: 0,
};

/** How long a load may last when nobody ends it, in seconds: a test that is killed leaves its pod behind. */
const LONGEST_S = 3600;

let pods = 0;

/**
 * Loads the edge from a pod of the mesh's own image, from a second before `during` until a second after it.
 *
 * @returns what became of the calls; the pod is gone then, whatever happened
 */
export async function withLoad(options: Partial<LoadOptions>, during: () => Promise<unknown>): Promise<LoadReport> {
  const name = `load-${process.pid}-${pods++}`;
  const image = (await podsOf('users'))[0]?.spec.containers.find(container => container.name === 'app')?.image;
  if (!image) throw new Error('no users pod says which image the mesh runs');
  await kubectl(['apply', '-f', '-'], JSON.stringify(await manifest(name, image, { ...DEFAULTS, ...options })));
  try {
    const log = () => kubectl(['logs', name]).catch(() => '');
    await until(`${name} has started`, 60_000, async () => (await log()).includes('started'));
    await new Promise(resolve => setTimeout(resolve, 1000));
    await during();
    await new Promise(resolve => setTimeout(resolve, 1000));
    await kubectl(['exec', name, '--', 'node', '-e', 'process.kill(1, "SIGTERM")']);
    await until(`${name} has ended`, 60_000, async () => (await log()).trimEnd().endsWith('}'));
    return JSON.parse((await log()).trimEnd().split('\n').at(-1) ?? '') as LoadReport;
  } finally {
    await kubectl(['delete', 'pod,configmap', name, '--ignore-not-found', '--grace-period=0', '--force', '--wait=false']);
  }
}

/** Says in a test's report what became of the calls. */
export function report(t: TestContext, load: LoadReport): void {
  const { calls, failures, streams, cutStreams } = load;
  const [p50, p99] = [0.5, 0.99].map(q => latencyMs(load, q).toFixed(0));
  t.diagnostic(
    `${failures.length} of ${calls} calls failed; p50 ${p50} ms, p99 ${p99} ms; ${cutStreams.length} of ${streams} streams cut`,
  );
  for (const { dueMs, message } of failures.slice(0, 5)) t.diagnostic(`${dueMs.toFixed(0)} ms: ${message.slice(0, 200)}`);
  for (const cut of cutStreams.slice(0, 3)) t.diagnostic(cut);
}

async function manifest(name: string, image: string, options: LoadOptions): Promise<object> {
  const sources = SOURCES.map(async path => [key(path), await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')]);
  const data = Object.fromEntries([...(await Promise.all(sources)), [key(OPTIONS), JSON.stringify(options)]]);
  const metadata = { name, labels: { 'app.kubernetes.io/name': 'load' } };
  const container = {
    name: 'load',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', SOURCES[0], OPTIONS],
    workingDir: '/app',
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    volumeMounts: [...SOURCES, OPTIONS].map(path => ({
      name: 'sources',
      mountPath: `/app/${path}`,
      subPath: key(path),
      readOnly: true,
    })),
  };
  const spec = {
    restartPolicy: 'Never',
    activeDeadlineSeconds: LONGEST_S,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 5,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
    volumes: [{ name: 'sources', configMap: { name } }],
  };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
  return { apiVersion: 'v1', kind: 'List', items: [configMap, { apiVersion: 'v1', kind: 'Pod', metadata, spec }] };
}

/** A path as the key of a ConfigMap, which may hold no slash. */
const key = (path: string): string => path.replaceAll('/', '.');
