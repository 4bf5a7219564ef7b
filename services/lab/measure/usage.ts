import { cpus } from 'node:os';
import type { Latency } from './latency.ts';
import { RESOLUTION } from './statistics.ts';

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

/** Up to which lateness the lab counts as in time, in milliseconds: a thread that wakes on a core that is shared takes as long. */
const IN_TIME_MS = 1;

/**
 * Whether the lab itself was so late that its latencies are not those of the callee: late to begin calls, or late to read answers
 * because its event loop was busy. Both are part of every latency that is counted from when a call was due. Up to a tenth of the
 * latency's p99 changes no verdict, for a smaller difference is not told between arms either.
 */
export function labIsLate(latency: Latency | undefined, ...delays: readonly (Latency | undefined)[]): boolean {
  const most = Math.max(IN_TIME_MS, RESOLUTION * (latency?.p99 ?? 0));
  return delays.some(delay => delay !== undefined && delay.p99 > most);
}

/** Who had no room left: "lab", a pod, "machine", in this order; undefined when nobody. `pods` are shares of a core. */
export function saturated({ loopBusy, machineBusy }: Usage, pods: ReadonlyMap<string, number>): string | undefined {
  if (loopBusy >= SATURATED) return 'lab';
  for (const [pod, cores] of pods) if (cores >= SATURATED) return pod;
  return machineBusy >= 0.98 ? 'machine' : undefined;
}
