import { readdirSync, readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf } from './process-identity.ts';

/** How much of something is in use, and how much there may be. */
export interface Use {
  readonly used: number;
  readonly limit: number;
}

/** Who uses how much of it. */
export interface Holder {
  readonly pid: number;
  readonly command: string;
  readonly count: number;
}

/** What a machine has left for this user's processes. What cannot be read is not there. */
export interface Machine {
  /** inotify(7): the instances and the watches of this user, and who has most instances. */
  readonly instances?: Use & { readonly holders: readonly Holder[] };
  readonly watches?: Use;
  /** Each limit on processes and their threads, by what it is called. */
  readonly threads: ReadonlyMap<string, Use>;
  /** The files that one process may open. */
  readonly openFiles?: number;
  /** Memory that can be had, in bytes. */
  readonly memory?: number;
  /** Free space below the folder of the run, in bytes. */
  readonly disk?: number;
}

/** Reads what this machine has left. Processes that this user may not see, such as those of another container, are not counted. */
export function readMachine(folder: string): Machine {
  const mine = processes().filter(({ uid }) => uid === process.getuid?.());
  const held = mine.map(({ pid }) => ({ pid, ...inotifyOf(pid) }));
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const [instanceLimit, watchLimit] = ['instances', 'watches'].map(inotifyLimit);
  const holders = held
    .filter(({ instances }) => instances > 0)
    .sort((a, b) => b.instances - a.instances)
    .slice(0, 3)
    .map(({ pid, instances }) => ({ pid, command: commandOf(pid) ?? 'unknown command', count: instances }));
  const limits = text('/proc/self/limits');
  const [, openFiles] = /^Max open files +\S+ +(\d+)/m.exec(limits) ?? []; // the hard one, to which Node raises its own
  const [memory, disk] = [freeMemory(), freeDisk(folder)];
  return {
    ...(instanceLimit !== undefined && {
      instances: { used: sum(held.map(({ instances }) => instances)), limit: instanceLimit, holders },
    }),
    ...(watchLimit !== undefined && { watches: { used: sum(held.map(({ watches }) => watches)), limit: watchLimit } }),
    threads: threadLimits(limits, () => sum(mine.map(({ pid }) => threadsOf(pid)))),
    ...(openFiles !== undefined && { openFiles: Number(openFiles) }),
    ...(memory !== undefined && { memory }),
    ...(disk !== undefined && { disk }),
  };
}

function processes(): { pid: number; uid: number }[] {
  return list('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return [];
    const uid = attempt(() => statSync(`/proc/${name}`).uid);
    return uid === undefined ? [] : [{ pid: Number(name), uid }];
  });
}

function inotifyOf(pid: number): { instances: number; watches: number } {
  const own = list(`/proc/${pid}/fd`).filter(
    fd => attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === 'anon_inode:inotify',
  );
  const watches = own.map(fd => text(`/proc/${pid}/fdinfo/${fd}`).match(/^inotify wd:/gm)?.length ?? 0);
  return { instances: own.length, watches: watches.reduce((total, count) => total + count, 0) };
}

/** The lesser of the machine's limit and that of this user namespace: user_namespaces(7). */
function inotifyLimit(what: string): number | undefined {
  const limits = [`/proc/sys/fs/inotify/max_user_${what}`, `/proc/sys/user/max_inotify_${what}`].map(numberIn);
  const known = limits.filter(limit => limit !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** `ulimit -u`, which is none for root; what the kernel has room for; and the cgroups that this process is in. */
function threadLimits(limits: string, ownThreads: () => number): Map<string, Use> {
  const found = new Map<string, Use>();
  const [, most] = /^Max processes +(\d+)/m.exec(limits) ?? [];
  if (most !== undefined && process.getuid?.() !== 0) found.set('ulimit -u', { used: ownThreads(), limit: Number(most) });
  const [, all] = /^\S+ \S+ \S+ \d+\/(\d+)/.exec(text('/proc/loadavg')) ?? [];
  for (const name of ['pid_max', 'threads-max']) {
    const limit = numberIn(`/proc/sys/kernel/${name}`);
    if (limit !== undefined && all !== undefined) found.set(`kernel.${name}`, { used: Number(all), limit });
  }
  for (const folder of cgroups('pids')) {
    const [limit, used] = [numberIn(join(folder, 'pids.max')), numberIn(join(folder, 'pids.current'))];
    if (limit !== undefined && used !== undefined) found.set(`pids.max of ${folder}`, { used, limit });
  }
  return found;
}

function threadsOf(pid: number): number {
  return Number(/^Threads:\s+(\d+)/m.exec(text(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** The least of what the machine and each cgroup of this process have left. */
function freeMemory(): number | undefined {
  const info = text('/proc/meminfo');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(info)?.[1]);
  const left = [(kilobytes('MemAvailable') + kilobytes('SwapFree')) * 1024];
  for (const folder of cgroups('memory')) {
    for (const [most, current] of [
      ['memory.max', 'memory.current'],
      ['memory.limit_in_bytes', 'memory.usage_in_bytes'],
    ] as const) {
      const [limit, used] = [numberIn(join(folder, most)), numberIn(join(folder, current))];
      // The page cache counts as used, and is given up when it is needed.
      const cache = Number(/^(?:total_)?inactive_file (\d+)/m.exec(text(join(folder, 'memory.stat')))?.[1] ?? 0);
      if (limit !== undefined && used !== undefined) left.push(limit - used + cache);
    }
  }
  const known = left.filter(Number.isFinite);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** The folders of the cgroups that this process is in, from its own to the root: of version 2, or of a controller of version 1. */
function cgroups(controller: string): string[] {
  return text('/proc/self/cgroup')
    .split('\n')
    .flatMap(line => {
      const [, names = '', path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      if (path === undefined || (names !== '' && !names.split(',').includes(controller))) return [];
      const root = names === '' ? '/sys/fs/cgroup' : join('/sys/fs/cgroup', controller);
      const parts = path.split('/').filter(Boolean);
      return Array.from({ length: parts.length + 1 }, (_, n) => join(root, ...parts.slice(0, parts.length - n)));
    });
}

function freeDisk(folder: string): number | undefined {
  const found = attempt(() => statfsSync(folder));
  return found && found.bavail * found.bsize;
}

/** The number that a file holds; undefined for "max", and where there is none. */
function numberIn(file: string): number | undefined {
  const read = text(file).trim();
  return /^\d+$/.test(read) ? Number(read) : undefined;
}

const text = (file: string) => attempt(() => readFileSync(file, 'utf8')) ?? '';
const list = (folder: string) => attempt(() => readdirSync(folder)) ?? [];

/** Undefined for what has ended meanwhile, or what this user may not see. */
function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
