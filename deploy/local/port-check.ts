import { envoyFiles } from './envoy-files.ts';
import type { Deployment, KubeObject } from './manifest.ts';
import { listenError, portHolder } from './port-holder.ts';
import { RunError } from './run-error.ts';

interface Listening {
  address?: { socket_address?: { port_value?: number } };
}

/** The ports that a Deployment's pods listen on: those that its containers declare, and those of the Envoy configurations that they mount. */
export function portsOf({ spec }: Deployment, objects: readonly KubeObject[]): number[] {
  const pod = spec.template.spec;
  const declared = [...(pod.initContainers ?? []), ...pod.containers].flatMap(({ ports = [] }) =>
    ports.map(port => port.containerPort),
  );
  const configured = envoyFiles({ spec } as Deployment, objects).flatMap(({ file }) => envoyPorts(file));
  return [...new Set([...declared, ...configured])].sort((a, b) => a - b);
}

/** The port of a Deployment that its callers use: the first that its containers declare. */
export function mainPortOf({ metadata, spec }: Deployment): number {
  const [port] = spec.template.spec.containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort));
  if (port === undefined) throw new RunError(`${metadata.name} declares no port`);
  return port;
}

/** An address and port for which there is a choice, and how it is made. */
export interface ChosenPort {
  readonly address: string;
  readonly port: number;
  /** "or give the edge another port: make up PORT=8081". */
  readonly otherwise: string;
}

/** The port of the local run's edge. */
export const edgePort = (address: string, port: number): ChosenPort => ({
  address,
  port,
  otherwise: `or give the edge another port: make up PORT=${port >= 1024 && port < 65_535 ? port + 1 : 8081}`,
});

/**
 * Why ports cannot be listened on, a text each, with who holds it.
 * Envoy would not notice: it shares a port with any other of the same user (SO_REUSEPORT), and each would get some of the calls.
 */
export async function portProblems(wanted: ReadonlyMap<string, readonly number[]>, chosen?: ChosenPort): Promise<string[]> {
  const problems: string[] = [];
  for (const [address, ports] of wanted) {
    for (const port of ports) {
      const code = await listenError(address, port);
      if (code === undefined) continue;
      const otherwise = address === chosen?.address && port === chosen.port ? chosen.otherwise : 'for pods need this port';
      problems.push(whyNot(code, address, port, otherwise));
      if (code === 'EADDRNOTAVAIL') break; // it is the address
    }
  }
  return problems;
}

function whyNot(code: string, address: string, port: number, otherwise: string): string {
  if (code === 'EADDRINUSE') {
    const holder = portHolder(address, port) ?? 'a process that has just ended';
    return `port ${port} on ${address} is taken by ${holder}. Stop it, ${otherwise}`;
  }
  if (code === 'EACCES') return `port ${port} on ${address} is for root only (${code}). Become root, ${otherwise}`;
  if (code === 'EADDRNOTAVAIL') {
    return `${address} is no address of this machine (${code}), and each pod needs one of 127.0.0.0/8: sudo ip address add 127.0.0.1/8 dev lo && sudo ip link set lo up`;
  }
  return `nobody can listen on port ${port} of ${address} (${code})`;
}

function envoyPorts(file: object): number[] {
  const { admin, static_resources } = file as { admin?: Listening; static_resources?: { listeners?: Listening[] } };
  const listening = [admin, ...(static_resources?.listeners ?? [])];
  return listening.flatMap(each => each?.address?.socket_address?.port_value ?? []);
}
