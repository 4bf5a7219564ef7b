import { parse } from 'yaml';
import { type ConfigMap, type Deployment, type KubeObject, ofKind } from './manifest.ts';
import { isFree, portHolder } from './port-holder.ts';
import { RunError } from './run-error.ts';

interface EnvoyConfig {
  admin?: Listening;
  static_resources?: { listeners?: Listening[] };
}

interface Listening {
  address?: { socket_address?: { port_value?: number } };
}

/** The ports that a Deployment's pods listen on: those that its containers declare, and those of the Envoy configurations that they mount. */
export function portsOf({ spec }: Deployment, objects: readonly KubeObject[]): number[] {
  const pod = spec.template.spec;
  const declared = [...(pod.initContainers ?? []), ...pod.containers].flatMap(({ ports = [] }) =>
    ports.map(port => port.containerPort),
  );
  const mounted = new Set(pod.volumes?.map(({ configMap }) => configMap?.name));
  const configs = ofKind(objects, 'ConfigMap').filter(({ metadata }) => mounted.has(metadata.name));
  return [...new Set([...declared, ...configs.flatMap(envoyPorts)])].sort((a, b) => a - b);
}

/**
 * Throws a `RunError` when a port is taken, naming all that are and who holds each.
 * Envoy would not notice: it shares a port with any other of the same user (SO_REUSEPORT), and each would get some of the calls.
 */
export async function checkPorts(wanted: ReadonlyMap<string, readonly number[]>): Promise<void> {
  const taken: string[] = [];
  for (const [address, ports] of wanted) {
    for (const port of ports) {
      if (!(await isFree(address, port)))
        taken.push(`port ${port} on ${address} is taken by ${portHolder(address, port) ?? 'a process that has just ended'}`);
    }
  }
  if (taken.length > 0)
    throw new RunError(`${taken.join('\n')}\nStop what holds it, or give the edge another address: --address 127.0.0.2`);
}

function envoyPorts({ data = {} }: ConfigMap): number[] {
  return Object.entries(data).flatMap(([key, text]) => {
    if (!/\.ya?ml$/.test(key)) return [];
    const config = parse(text) as EnvoyConfig | null;
    const listening = [config?.admin, ...(config?.static_resources?.listeners ?? [])];
    return listening.flatMap(each => each?.address?.socket_address?.port_value ?? []);
  });
}
