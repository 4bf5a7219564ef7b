import type { Metadata } from '@grpc/grpc-js';
import type { Step } from '../../proto/gen/telltale/script/v1/script.ts';
import { scriptMetadata } from '../kit/experiment.ts';
import { pause } from '../kit/pause.ts';
import { preciseNow } from '../kit/record.ts';
import { type CallPicture, endOfCall, isComplete } from './call-picture.ts';
import type { Collector, PodUsage } from './collector.ts';
import type { Control } from './control.ts';
import { arrivalTimes } from './measure/arrivals.ts';
import type { Latency } from './measure/latency.ts';
import { meterLoopDelay } from './measure/loop-delay.ts';
import { type Begin, openLoop } from './measure/open-loop.ts';
import type { Mesh } from './mesh.ts';
import type { LoadParameters, Values } from './parameters.ts';

/** A call that an arm is asked to make. */
export interface CallToMake {
  /** Which one, from 0; in the warm-up, too. */
  readonly n: number;
  /** A text that no other call has: good for an order's id. */
  readonly id: string;
  /** Aborted when the run is stopped; give it to the call. */
  readonly signal: AbortSignal;
  /** The metadata of the call: its mark, what services shall do, and the variant of the proxies' routes. */
  metadata(steps?: readonly Partial<Step>[], policy?: string): Metadata;
}

/** How an arm makes its calls. */
export interface Load {
  /** The methods that each call reaches, by their last names: records of these are waited for. */
  readonly hops: readonly string[];
  /** How long a handler may go on after its call has ended, in milliseconds. Default 0: handlers stop with their calls. */
  readonly lingerMs?: number;
  /** Ends the load when it aborts, before `seconds` have passed: for what takes as long as it takes. */
  readonly over?: AbortSignal;
  /** Whether calls that do not count come first, at the first repetition. Default true; false for an arm that has made its own, or times nothing. */
  readonly warmUp?: boolean;
  /** Makes one call. What it rejects with is the call's status; anything but an RpcError ends the run. */
  call(call: CallToMake): Promise<unknown>;
}

/** The means of an arm. A scenario reaches the mesh only through these, and nothing outside of it. */
export interface Bench<Parameters> {
  readonly parameters: Values<Parameters>;
  readonly mesh: Mesh;
  /** The pods of the services: for scenarios about restarts and failures. */
  readonly control: Control;
  /** Aborted when the run is stopped. */
  readonly signal: AbortSignal;
  /** What each pod said last of the CPU time that it has used; pod-cpu.ts reads it. */
  readonly pods: () => ReadonlyMap<string, PodUsage>;
  /**
   * Makes calls by the parameters `rate`, `seconds`, `arrivals` and `seed`, each when it is due, and resolves to what became of
   * them once every hop has stopped and reported. The first repetition of an arm begins with a second of calls that do not count.
   */
  load(load: Load): Promise<readonly CallPicture[]>;
}

/** What every load has before and after it. */
export interface Timing {
  /** The calls before the first repetition of an arm that do not count, in seconds. */
  readonly warmUpSeconds: number;
  /** How long hops that have stopped may take to report, in milliseconds; a record that has not come by then is missing. */
  readonly reportMs: number;
}

/** The timing of a lab that is not under test. */
export const TIMING: Timing = { warmUpSeconds: 1, reportMs: 2500 };

/** What a bench is made of. */
export interface BenchOptions<Parameters> extends Pick<Bench<Parameters>, 'parameters' | 'mesh' | 'control' | 'signal'> {
  readonly collector: Collector;
  /** What the marks of its calls begin with: no other repetition has it. */
  readonly prefix: string;
  readonly warmUp: boolean;
  readonly timing: Timing;
  /** Told how far the load is. */
  readonly onProgress: (progress: { begun: number; ended: number; planned: number }) => void;
  /** Told, before the figures are made, what the load has given, of which hops, and how late the event loop was meanwhile. */
  readonly onLoaded: (pictures: readonly CallPicture[], hops: readonly string[], loopDelay: Latency | undefined) => void;
  /** Told when the part that counts begins. */
  readonly onMeasure: () => void;
}

/** Makes the bench of one repetition of one arm. */
export function createBench<Parameters>(
  options: BenchOptions<Parameters & LoadParameters>,
): Bench<Parameters & LoadParameters> {
  const { parameters, mesh, control, signal, collector } = options;
  return { parameters, mesh, control, signal, pods: () => collector.pods, load: load => runLoad(options, load) };
}

async function runLoad(options: BenchOptions<LoadParameters>, load: Load): Promise<readonly CallPicture[]> {
  const { collector, prefix, signal, parameters, timing, onProgress } = options;
  const { rate, seconds, arrivals, seed } = parameters;
  const call = (n: number, id: string, marked: boolean): CallToMake => ({
    n,
    id,
    signal,
    metadata: (steps = [], policy) => scriptMetadata(steps, marked ? id : undefined, policy),
  });
  if (options.warmUp && (load.warmUp ?? true)) {
    const times = arrivalTimes({ rate, seconds: timing.warmUpSeconds, arrivals: 'fixed', seed });
    await openLoop(times, n => endOfCall(load.call(call(n, `${prefix}warm-up-${n}`, false))), signal);
  }
  collector.expect(prefix);
  options.onMeasure();
  const times = arrivalTimes({ rate, seconds, arrivals, seed });
  const progress = { begun: 0, ended: 0, planned: times.length };
  using loopDelay = meterLoopDelay();
  const ends = await openLoop(
    times,
    async (n, begin: Begin) => {
      const id = `${prefix}${n}`;
      onProgress({ ...progress, begun: ++progress.begun });
      const end = await endOfCall(load.call(call(n, id, true)));
      onProgress({ ...progress, ended: ++progress.ended });
      return { id, ...begin, endedAt: preciseNow(), ...end };
    },
    signal,
    load.over,
  );
  const delay = loopDelay.read();
  const pictures = await settled(() => ends.map(end => ({ ...end, hops: collector.of(end.id) })), load, timing, signal);
  collector.expect(undefined);
  options.onLoaded(pictures, load.hops, delay);
  return pictures;
}

/** Joins until every hop has reported, or the time for it is over. */
async function settled(
  join: () => CallPicture[],
  load: Load,
  { reportMs }: Timing,
  signal: AbortSignal,
): Promise<CallPicture[]> {
  const { hops, lingerMs = 0 } = load;
  const giveUp = performance.now() + lingerMs + reportMs;
  for (;;) {
    const pictures = join();
    if (pictures.every(picture => isComplete(picture, hops)) || performance.now() > giveUp) return pictures;
    await pause(100, signal);
  }
}
