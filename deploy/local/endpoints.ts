import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { matches, type Service } from './manifest.ts';
import type { Pod } from './pod.ts';

/** Tells every Envoy which pods answer for each service; what the endpoint controller and the kubelet's volumes do in a cluster. */
export interface Endpoints {
  /** Writes the files of the services whose ready pods have changed since the last call. */
  update(pods: readonly Pod[]): void;
  /** Drops what `delayMs` still holds back. */
  close(): void;
}

/**
 * How long the news of a pod that starts or stops takes to reach its callers' Envoys in a cluster, at least, in milliseconds. Where it
 * took no time, a pod that does not wait for it when it stops would lose nothing, which is not so anywhere else.
 */
export const CLUSTER_DELAY_MS = 500;

export interface EndpointsOptions {
  /** The folder that stands for the ConfigMap `endpoints`. */
  dir: string;
  services: readonly Service[];
  /** How long each change takes to reach the files, in milliseconds; 0 means before `update` returns. Default 0. */
  delayMs?: number | undefined;
}

/**
 * Keeps one file `<service>.yaml` with one ClusterLoadAssignment for each headless Service: the pods that are ready and not terminating.
 * Files are replaced by rename (Envoy sees nothing else) and exist, with no endpoints, when this returns.
 */
export function watchEndpoints({ dir, services, delayMs = 0 }: EndpointsOptions): Endpoints {
  const draft = `${dir}.draft`;
  for (const folder of [dir, draft]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const headless = services.filter(({ spec }) => spec.clusterIP === 'None');
  const written = new Map<string, string>();
  const delayed = new Set<NodeJS.Timeout>();

  const write = (service: string, text: string) => {
    if (!existsSync(draft)) return; // somebody has removed the run's files; the pods must stop all the same
    writeFileSync(join(draft, service), text, { mode: 0o600 });
    renameSync(join(draft, service), join(dir, `${service}.yaml`));
  };
  const later = (service: string, text: string) => {
    const timer = setTimeout(() => {
      delayed.delete(timer);
      write(service, text);
    }, delayMs);
    delayed.add(timer);
  };
  for (const service of headless) {
    written.set(service.metadata.name, loadAssignment(service, []));
    write(service.metadata.name, loadAssignment(service, []));
  }

  return {
    update(pods) {
      for (const service of headless) {
        const { name } = service.metadata;
        const text = loadAssignment(service, pods);
        if (written.get(name) === text) continue;
        written.set(name, text);
        (delayMs === 0 ? write : later)(name, text);
      }
    },
    close() {
      for (const timer of delayed) clearTimeout(timer);
    },
  };
}

/** The text of a service's file. Envoy reads one ClusterLoadAssignment per file, not more. */
function loadAssignment({ metadata, spec }: Service, pods: readonly Pod[]): string {
  const [port] = spec.ports ?? [];
  const portValue = typeof port?.targetPort === 'number' ? port.targetPort : port?.port;
  const answering = pods.filter(pod => pod.ready && !pod.terminating && spec.selector && matches(spec.selector, pod.labels));
  const endpoints = answering.map(({ address }) => ({
    endpoint: { address: { socket_address: { address, port_value: portValue } } },
  }));
  const resource = {
    '@type': 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    cluster_name: metadata.name,
    endpoints: [{ lb_endpoints: endpoints }],
  };
  return stringify({ resources: [resource] });
}
