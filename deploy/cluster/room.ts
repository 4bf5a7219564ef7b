import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Machine, readMachine } from '../local/machine.ts';
import { repo } from '../local/paths.ts';
import { portProblems } from '../local/port-check.ts';
import { inotifyProblems } from '../local/resources.ts';

/**
 * The inotify instances that a node of kind takes at least, in systemd, containerd, kubelet and the system's pods, which are root's. An
 * estimate: too low lets kind say itself what is wrong, too high would refuse a machine that has room.
 */
const KIND_INSTANCES = 10;

interface KindConfig {
  readonly nodes: readonly {
    readonly extraPortMappings?: readonly { readonly hostPort: number; readonly listenAddress: string }[];
  }[];
}

/** What of this machine is in the way of the cluster that a file describes to kind, a text each. */
export async function roomProblems(
  file = join(repo, 'deploy', 'kind.yaml'),
  machine: Machine = readMachine(repo),
): Promise<string[]> {
  const { nodes } = parse(readFileSync(file, 'utf8')) as KindConfig;
  const problems: string[] = [];
  for (const { hostPort: port, listenAddress: address } of nodes.flatMap(({ extraPortMappings = [] }) => extraPortMappings)) {
    const otherwise = 'which for a local run is make down, or change hostPort in deploy/kind.yaml';
    problems.push(...(await portProblems(new Map([[address, [port]]]), { address, port, otherwise })));
  }
  return [...problems, ...inotifyProblems(machine, KIND_INSTANCES * nodes.length)];
}
