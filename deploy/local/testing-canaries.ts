import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SpanSink } from '../../services/kit/testing-span-sink.ts';
import type { Container, KubeObject } from './manifest.ts';
import { ofKind } from './manifest.ts';
import { sendHttp } from './testing-http.ts';
import type { TestMesh } from './testing-mesh.ts';

/** A secret of a mesh that is planted by a test, or read from where somebody else has made it, such as the key of a certificate. */
export interface Canary {
  /** What it is the secret of. */
  readonly name: string;
  /** What must show nowhere; for a longer secret the line of it that nothing else can have. */
  readonly value: string;
}

/** What somebody other than the owner of a secret may get to read. */
export interface Place {
  readonly kind: 'log' | 'metrics' | 'spans' | 'configuration' | 'command line';
  /** The pod and the container, or the collector. */
  readonly name: string;
  readonly text: string;
}

/** Makes a secret that nothing else has, of characters that nobody escapes. */
export function newCanary(name: string): Canary {
  return { name, value: `canary${randomBytes(12).toString('hex')}` };
}

/** Where the canaries are, in any form that programs give to a text: `<name> in <kind> of <place>`, sorted. */
export function findCanaries(canaries: readonly Canary[], places: readonly Place[]): string[] {
  const found = canaries.flatMap(({ name, value }) =>
    places
      .filter(({ text }) => formsOf(value).some(form => text.includes(form)))
      .map(place => `${name} in ${place.kind} of ${place.name}`),
  );
  return found.sort();
}

/** As it is, as JSON and a URL have it, in hexadecimal, and in base64 wherever it begins within three bytes. */
function formsOf(value: string): string[] {
  const base64 = [0, 1, 2].map(offset => {
    const encoded = Buffer.from(`${'.'.repeat(offset)}${value}`).toString('base64');
    // without the characters that the neighbours have a share in
    return encoded.slice(offset === 0 ? 0 : 4, -4);
  });
  const plain = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), Buffer.from(value).toString('hex')];
  return [...plain, ...base64, ...base64.map(text => text.replaceAll('+', '-').replaceAll('/', '_'))];
}

/** All places of a mesh but its logs: metrics, Envoy's own pages, command lines, and the spans that a collector has got. */
export async function placesOf(mesh: TestMesh, sink: SpanSink): Promise<Place[]> {
  const pods = [...mesh.pods('edge'), ...mesh.all()];
  const pages = pods.flatMap(({ name, address, containers }) => {
    const page = (kind: Place['kind'], port: number, path: string) => ({ kind, name: `${name} ${path}`, address, port, path });
    const stats = page('metrics', 15021, '/stats/prometheus');
    const admin = ['/config_dump?include_eds', '/clusters', '/listeners', '/certs', '/server_info', '/stats', '/runtime'];
    const own = containers.some(container => container.name === 'app') ? [page('metrics', 9464, '/metrics')] : [];
    return [...own, stats, ...admin.map(path => page('configuration', 15000, path))];
  });
  const read = pages.map(async ({ kind, name, address, port, path }): Promise<Place> => {
    const { status, text } = await sendHttp(`${address}:${port}`, { path });
    if (status !== 200) throw new Error(`${name}: answered ${status}`);
    return { kind, name, text };
  });
  const lines = pods.flatMap(pod =>
    pod.containers.map(({ name, pid }): Place => {
      const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return { kind: 'command line', name: `${pod.name}/${name}`, text };
    }),
  );
  return [...(await Promise.all(read)), ...lines, { kind: 'spans', name: 'the collector', text: JSON.stringify(sink.spans) }];
}

/** Stops the mesh, at which every log is complete, and reads the logs. */
export async function logsOf(mesh: TestMesh): Promise<Place[]> {
  const files = [...mesh.pods('edge'), ...mesh.all()].flatMap(pod =>
    pod.containers.map(({ name }) => ({ name: `${pod.name}/${name}`, file: pod.logFile(name) })),
  );
  await mesh.stop();
  return files.map(({ name, file }) => ({ kind: 'log', name, text: readFileSync(file, 'utf8') }));
}

/** Changes the apps of these services, or of all. Returns the objects; throws an `Error` when there is no such app. */
export function withApps(objects: KubeObject[], change: (app: Container) => void, services?: readonly string[]): KubeObject[] {
  const apps = ofKind(objects, 'Deployment').flatMap(({ metadata, spec }) =>
    services?.includes(metadata.name) === false ? [] : spec.template.spec.containers.filter(({ name }) => name === 'app'),
  );
  if (apps.length === 0) throw new Error(`the manifests have no app of ${services?.join(' or ') ?? 'any service'}`);
  for (const app of apps) change(app);
  return objects;
}
