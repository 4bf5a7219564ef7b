import { readFileSync } from 'node:fs';
import { sendHttp } from './testing-http.ts';
import type { TestMesh } from './testing-mesh.ts';

/** Every process of the mesh, the Envoys among them. The same list again means that none has ended or been restarted. */
export function processesOf(mesh: TestMesh): string[] {
  return [...mesh.pods('edge'), ...mesh.all()].flatMap(pod =>
    pod.containers.map(({ name, pid, restarts }) => `${pod.name}/${name}: process ${pid}, ${restarts} restarts`),
  );
}

/** The most memory that a process has had so far, in bytes (VmHWM of proc_pid_status(5)). */
export function peakMemoryOf(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** The CPU time that a process has used so far, in milliseconds, by the kernel's clock of 10 ms (proc_pid_stat(5)). */
export function cpuTimeOf(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

/** What the edge has counted so far, by the metric's name and labels as it prints them; 0 for what it has not counted yet. */
export async function countedByEdge(mesh: TestMesh, metric: string): Promise<number> {
  const [host = ''] = mesh.edge.split(':');
  return counted(host, metric);
}

/** What the Envoy of the pod at an address has counted so far, as `countedByEdge`. */
export async function counted(address: string, metric: string): Promise<number> {
  return readMetric(await metricsOf(address), metric);
}

/** How many TLS handshakes the mesh port of the pod at an address has made so far: all, and by version. */
export async function handshakesOf(address: string): Promise<{ all: number; 'TLSv1.2': number; 'TLSv1.3': number }> {
  const text = await metricsOf(address); // one text, so that the figures are of one moment
  const port = `envoy_listener_address="${address}_50051"`;
  const by = (version: string) => readMetric(text, `envoy_listener_ssl_versions{envoy_ssl_version="${version}",${port}}`);
  return { all: readMetric(text, `envoy_listener_ssl_handshake{${port}}`), 'TLSv1.2': by('TLSv1.2'), 'TLSv1.3': by('TLSv1.3') };
}

async function metricsOf(address: string): Promise<string> {
  return (await sendHttp(`${address}:15021`, { path: '/stats/prometheus' })).text;
}

function readMetric(text: string, metric: string): number {
  const line = text.split('\n').find(each => each.startsWith(`${metric} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}
