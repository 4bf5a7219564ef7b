import { cpus } from 'node:os';

/** What this process and its machine had done at one moment. */
export interface UsageMark {
  readonly at: number;
  readonly cpuUs: number;
  readonly loop: ReturnType<typeof performance.eventLoopUtilization>;
  readonly machine: { readonly busy: number; readonly total: number };
}

/** What was used between a mark and now. */
export interface Usage {
  readonly elapsedMs: number;
  /** CPU time of this process, in microseconds. */
  readonly cpuUs: number;
  /** The share of the time, from 0 to 1, that this process's event loop was busy. */
  readonly loopBusy: number;
  /** The share of the time that the cores of this machine were busy, with everything that runs on it. */
  readonly machineBusy: number;
}

/** Remembers what has been used until now. */
export function markUsage(): UsageMark {
  const { user, system } = process.cpuUsage();
  return { at: performance.now(), cpuUs: user + system, loop: performance.eventLoopUtilization(), machine: machineTimes() };
}

/** What was used since a mark. */
export function usageSince(mark: UsageMark): Usage {
  const now = markUsage();
  const total = now.machine.total - mark.machine.total;
  return {
    elapsedMs: now.at - mark.at,
    cpuUs: now.cpuUs - mark.cpuUs,
    loopBusy: performance.eventLoopUtilization(now.loop, mark.loop).utilization,
    machineBusy: total > 0 ? (now.machine.busy - mark.machine.busy) / total : 0,
  };
}

function machineTimes(): UsageMark['machine'] {
  let [busy, total] = [0, 0];
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.irq + times.idle;
    busy += all - times.idle;
    total += all;
  }
  return { busy, total };
}

/** From which share of one core a process counts as saturated: what is left goes to garbage collection and to the system. */
const SATURATED = 0.85;

/** Who had no room left: "lab", a pod, "machine", in this order; undefined when nobody. `pods` are shares of a core. */
export function saturated({ loopBusy, machineBusy }: Usage, pods: ReadonlyMap<string, number>): string | undefined {
  if (loopBusy >= SATURATED) return 'lab';
  for (const [pod, cores] of pods) if (cores >= SATURATED) return pod;
  return machineBusy >= 0.98 ? 'machine' : undefined;
}
