import type { ReportRecordsRequest } from '../../proto/gen/telltale/lab/v1/lab.ts';
import type { CallRecord } from '../kit/record.ts';

/** The records of one repetition of an arm at most: what 1,000 calls a second leave in a minute at four hops. */
const LIMIT = 240_000;

/** What a pod has used, as it said last. */
export interface PodUsage {
  readonly service: string;
  readonly cpuUs: number;
  /** Milliseconds since the epoch by the pod's clock. */
  readonly sampledAt: number;
}

/** Gathers what the services report: the records of the calls that a run waits for, and what each pod uses. */
export class Collector {
  readonly #pods = new Map<string, PodUsage>();
  /** What each pod said last of the records that it has dropped; also of pods that are away at the moment. */
  readonly #droppedAt = new Map<string, number>();
  #prefix: string | undefined;
  #records = new Map<string, CallRecord[]>();
  #count = 0;
  #dropped = 0;

  /** What the pods said last, by pod. */
  get pods(): ReadonlyMap<string, PodUsage> {
    return this.#pods;
  }

  /** The records that were dropped since the lab began, at the pods and here. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Keeps, from now on, the records of calls whose mark begins so, and forgets all others. */
  expect(prefix: string | undefined): void {
    this.#prefix = prefix;
    this.#records = new Map();
    this.#count = 0;
  }

  /** Takes what a pod reports. */
  add({ service, pod, records, droppedCount, cpuUs, sampledAt }: ReportRecordsRequest): void {
    this.#pods.set(pod, { service, cpuUs: Number(cpuUs), sampledAt });
    const dropped = Number(droppedCount);
    this.#dropped += Math.max(0, dropped - (this.#droppedAt.get(pod) ?? dropped)); // a pod that is new here has a past
    this.#droppedAt.set(pod, dropped);
    for (const record of records) this.#keep(record);
  }

  /** A pod whose stream has ended; it is forgotten unless it opens another. */
  forget(pod: string): void {
    this.#pods.delete(pod);
  }

  /** The records of one call, in the order in which it reached the hops. */
  of(id: string): readonly CallRecord[] {
    return (this.#records.get(id) ?? []).toSorted((a, b) => a.arrivedAt - b.arrivedAt);
  }

  #keep(record: CallRecord): void {
    if (this.#prefix === undefined || !record.run.startsWith(this.#prefix)) return;
    if (this.#count >= LIMIT) {
      this.#dropped++;
      return;
    }
    const known = this.#records.get(record.run) ?? [];
    if (known.some(each => isSame(each, record))) return;
    this.#records.set(record.run, [...known, record]);
    this.#count++;
  }
}

function isSame(one: CallRecord, other: CallRecord): boolean {
  return (
    one.method === other.method && one.pod === other.pod && one.arrivedAt === other.arrivedAt && one.attempt === other.attempt
  );
}
