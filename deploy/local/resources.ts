import { watchesOf } from './envoy-files.ts';
import type { Machine, Use } from './machine.ts';
import { type KubeObject, ofKind } from './manifest.ts';

/** What a mesh takes of a machine while it starts. */
export interface Needs {
  /** Inotify instances; Envoy takes one for each file that it follows, with one watch each. */
  readonly instances: number;
  readonly threads: number;
  /** The files that one process opens, at most. */
  readonly openFiles: number;
  /** In bytes. */
  readonly memory: number;
  readonly disk: number;
}

const MIB = 2 ** 20;

/** Measured of a mesh at rest: an app has 11 threads and 75 to 100 MiB of its own, an Envoy 8 and 20. */
const APP = { threads: 11, memory: 90 * MIB };
const ENVOY = { threads: 8, memory: 20 * MIB };

/** An Envoy at rest has 65 open files, and two for each call that waits on a connection of its own. */
const OPEN_FILES = 512;

/** A run takes 2 MiB at its start, and its logs grow. */
const DISK = 64 * MIB;

/** What the pods of these objects take. */
export function needsOf(objects: readonly KubeObject[]): Needs {
  const needs = { instances: 0, threads: 0, openFiles: OPEN_FILES, memory: 0, disk: DISK };
  for (const deployment of ofKind(objects, 'Deployment')) {
    const { replicas = 1, template } = deployment.spec;
    const containers = [...(template.spec.initContainers ?? []), ...template.spec.containers];
    for (const { image } of containers) {
      const { threads, memory } = /envoy/.test(image) ? ENVOY : APP;
      needs.threads += replicas * threads;
      needs.memory += replicas * memory;
    }
    needs.instances += replicas * watchesOf(deployment, objects);
  }
  return needs;
}

/** What a machine has too little of, a text each with what helps. */
export function resourceProblems(machine: Machine, needs: Needs): string[] {
  const { openFiles = Number.POSITIVE_INFINITY, memory = Number.POSITIVE_INFINITY } = machine;
  const { disk = Number.POSITIVE_INFINITY } = machine;
  return [
    ...inotifyProblems(machine, needs.instances),
    ...[...machine.threads].flatMap(([name, use]) => threadProblem(name, use, needs.threads)),
    ...(openFiles < needs.openFiles
      ? [`a process may open ${openFiles} files, and an Envoy needs ${needs.openFiles}: ulimit -n ${8 * needs.openFiles}`]
      : []),
    ...(memory < needs.memory
      ? [
          `${mib(memory)} of memory can be had, and ${mib(needs.memory)} are needed: end other programs, or use a larger machine`,
        ]
      : []),
    ...(disk < needs.disk
      ? [`${mib(disk)} are free where the run keeps its files, and ${mib(needs.disk)} are needed: free some, or use --run-dir`]
      : []),
  ];
}

/** What is said where inotify(7) has too little room for `wanted` more instances, each with a watch. */
export function inotifyProblems({ instances, watches }: Machine, wanted: number): string[] {
  const problem = (what: 'instances' | 'watches', { used, limit }: Use, who: string) => {
    if (used + wanted <= limit) return [];
    const more = 2 ** Math.ceil(Math.log2(Math.max(512, 2 * (used + wanted))));
    return [
      `inotify ${what} run out: ${used} of ${limit} are in use${who}, and ${wanted} are needed (fs.inotify.max_user_${what}). ` +
        `Allow more: sudo sysctl fs.inotify.max_user_${what}=${more}`,
    ];
  };
  const most = instances?.holders.map(({ pid, command, count }) => `${count} by pid ${pid} ${command.slice(0, 60)}`) ?? [];
  return [
    ...(instances ? problem('instances', instances, most.length === 0 ? '' : ` (${most.join(', ')})`) : []),
    ...(watches ? problem('watches', watches, '') : []),
  ];
}

function threadProblem(name: string, { used, limit }: Use, wanted: number): string[] {
  if (used + wanted <= limit) return [];
  const more = 2 ** Math.ceil(Math.log2(used + 2 * wanted));
  const fix = name.startsWith('ulimit')
    ? `${name} ${more}`
    : name.startsWith('kernel.')
      ? `sudo sysctl ${name}=${more}`
      : `set it to ${more}, such as by --pids-limit of the container`;
  return [`processes run out: ${used} of ${limit} threads are in use, and ${wanted} are needed (${name}): ${fix}`];
}

const mib = (bytes: number) => `${Math.floor(bytes / MIB)} MiB`;
