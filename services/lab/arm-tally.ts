import { type CallPicture, reportsOf, statusesOf } from './call-picture.ts';
import type { PodUsage } from './collector.ts';
import { latencyOf } from './measure/latency.ts';
import { saturated, type Usage } from './measure/usage.ts';
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

  /** Adds what one load has given. */
  addCalls(pictures: readonly CallPicture[]): void {
    add(this.#statuses, statusesOf(pictures));
    for (const [method, statuses] of Object.entries(reportsOf(pictures))) {
      this.#reports[method] ??= {};
      add(this.#reports[method] ?? {}, statuses);
    }
    for (const { dueAt, begunAt, endedAt, hops } of pictures) {
      this.#latencies.push(endedAt - dueAt);
      this.#latenesses.push(begunAt - dueAt);
      for (const { method, pod, peer } of hops) {
        const known = this.#peers.get(method) ?? new Set();
        this.#peers.set(method, known.add(`${pod} ${peer}`));
      }
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

function add(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}
