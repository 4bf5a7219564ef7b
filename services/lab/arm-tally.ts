import { type CallPicture, reportsOf, statusesOf } from './call-picture.ts';
import type { PodUsage } from './collector.ts';
import { type Latency, latencyOf } from './measure/latency.ts';
import { labIsLate, saturated, type Usage } from './measure/usage.ts';
import type { ArmCpu, ArmResult } from './result.ts';
import { figureResult } from './verdict.ts';

/** What is summed up of an arm while its repetitions go on. The calls themselves are not kept. */
export class ArmTally {
  readonly #figures = new Map<string, number[]>();
  readonly #statuses: Record<string, number> = {};
  readonly #reports: Record<string, Record<string, number>> = {};
  readonly #peers = new Map<string, Set<string>>();
  readonly #latencies: number[] = [];
  readonly #latenesses: number[] = [];
  readonly #services = new Map<string, number>();
  #loopDelay: Latency | undefined;
  #labUs = 0;
  #saturated: string | undefined;
  #repetitions = 0;

  /** The values of each figure, one for each repetition. */
  get figures(): Record<string, number[]> {
    return Object.fromEntries(this.#figures);
  }

  /** The calls of this arm that count. */
  get calls(): number {
    return this.#latencies.length;
  }

  /** Who had no room left, in the first repetition in which somebody had none. */
  get saturated(): string | undefined {
    return this.#saturated;
  }

  /** Adds what one load has given, and how late the lab's event loop was meanwhile. */
  addCalls(pictures: readonly CallPicture[], loopDelay: Latency | undefined): void {
    add(this.#statuses, statusesOf(pictures));
    for (const [method, statuses] of Object.entries(reportsOf(pictures))) {
      this.#reports[method] ??= {};
      add(this.#reports[method] ?? {}, statuses);
    }
    const latencies = pictures.map(({ dueAt, endedAt }) => endedAt - dueAt);
    const latenesses = pictures.map(({ dueAt, begunAt }) => begunAt - dueAt);
    if (labIsLate(latencyOf(latencies), latencyOf(latenesses), loopDelay)) this.#saturated ??= 'lab';
    for (const ms of latencies) this.#latencies.push(ms);
    for (const ms of latenesses) this.#latenesses.push(ms);
    this.#loopDelay = longest(this.#loopDelay, loopDelay);
    for (const { method, pod, peer } of pictures.flatMap(({ hops }) => hops)) {
      const known = this.#peers.get(method) ?? new Set();
      this.#peers.set(method, known.add(`${pod} ${peer}`));
    }
  }

  /** Adds what was used meanwhile: here, and at the pods as they said before and after. */
  addUsage(usage: Usage, before: ReadonlyMap<string, PodUsage>, after: ReadonlyMap<string, PodUsage>): void {
    this.#labUs += usage.cpuUs;
    const cores = new Map<string, number>();
    for (const [pod, { service, cpuUs, sampledAt }] of after) {
      const earlier = before.get(pod);
      if (!earlier || sampledAt <= earlier.sampledAt) continue;
      const used = cpuUs - earlier.cpuUs;
      cores.set(pod, used / 1000 / (sampledAt - earlier.sampledAt));
      this.#services.set(service, (this.#services.get(service) ?? 0) + used);
    }
    this.#saturated ??= saturated(usage, cores);
  }

  /** Adds the figures of a repetition, which ends with it. */
  addFigures(figures: Readonly<Record<string, number>>): void {
    this.#repetitions++;
    for (const [name, value] of Object.entries(figures)) {
      this.#figures.set(name, [...(this.#figures.get(name) ?? []), value]);
    }
  }

  /** The whole of it. */
  result(arm: { name: string; title: string; control: boolean }): ArmResult {
    return {
      ...arm,
      repetitions: this.#repetitions,
      figures: Object.fromEntries([...this.#figures].map(([name, values]) => [name, figureResult(values)])),
      statuses: this.#statuses,
      reports: this.#reports,
      connections: Object.fromEntries([...this.#peers].map(([method, known]) => [method, known.size])),
      latencyMs: latencyOf(this.#latencies),
      latenessMs: latencyOf(this.#latenesses),
      loopDelayMs: this.#loopDelay,
      cpu: this.#cpu(),
    };
  }

  #cpu(): ArmCpu {
    const perCall = (us: number) => Math.round(us / Math.max(1, this.calls));
    return {
      labPerCallUs: perCall(this.#labUs),
      servicesPerCallUs: Object.fromEntries([...this.#services].map(([service, us]) => [service, perCall(us)])),
      saturated: this.#saturated ?? null,
    };
  }
}

/** The one with the longer p99. */
function longest(a: Latency | undefined, b: Latency | undefined): Latency | undefined {
  return (a?.p99 ?? -1) > (b?.p99 ?? -1) ? a : b;
}

function add(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}
