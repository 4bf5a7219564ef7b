import type { RunScenarioResponse } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { RpcError } from '../kit/rpc-error.ts';
import { ArmTally } from './arm-tally.ts';
import { createBench, TIMING, type Timing } from './bench.ts';
import { isComplete } from './call-picture.ts';
import type { Collector } from './collector.ts';
import type { Surroundings } from './conditions.ts';
import type { Control } from './control.ts';
import { markUsage, usageSince } from './measure/usage.ts';
import type { Mesh } from './mesh.ts';
import type { LoadParameters, ParameterSpecs, Values } from './parameters.ts';
import { guardPods, type PodGuard } from './pod-guard.ts';
import type { PodLives } from './pod-lives.ts';
import { RESULT_VERSION, type Result } from './result.ts';
import { runToRest } from './run-to-rest.ts';
import type { ScaleKeeper } from './scale-keeper.ts';
import type { AnyScenario } from './scenario.ts';
import { checkAll, evidenceCheck, headlineOf, verdictOf } from './verdict.ts';

/** What runs are made with. */
export interface RunDependencies {
  readonly mesh: Mesh;
  readonly control: Control;
  readonly lives: PodLives;
  /** Done before a run and after it: what another has changed is as it was. */
  readonly putBack: ScaleKeeper['putBack'];
  readonly collector: Collector;
  readonly surroundings: Surroundings;
  /** Default {@link TIMING}. */
  readonly timing?: Timing;
}

/** One event of a run, as LabService.RunScenario streams it. */
export type RunEvent = NonNullable<RunScenarioResponse['event']>;

/** What is run. */
export interface RunOptions {
  readonly id: string;
  readonly scenario: AnyScenario;
  readonly parameters: Values<ParameterSpecs & LoadParameters>;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** Keeps a result instead of one with the same id. */
  readonly keep: (result: Result) => Promise<void>;
}

/** What has been seen until now. */
interface State {
  readonly tallies: ReadonlyMap<string, ArmTally>;
  readonly evidence: { calls: number; complete: number };
  done: number;
}

type AnyArm = AnyScenario['arms'][number];

/** How often a run says how far it is, in milliseconds. */
const PROGRESS_EVERY_MS = 200;

/**
 * Runs a scenario: its arms one after the other, as often as the parameters say, every second time in the opposite order, so that
 * what drifts meanwhile meets all of them. Resolves to the result; when the signal aborts, an arm cannot go on, or a pod is lost
 * meanwhile, to one that is incomplete and says why. Such a one is kept from the beginning, for a lab that is killed.
 *
 * @throws what an arm throws that is no RpcError; its result is kept, too
 */
export async function runScenario(dependencies: RunDependencies, options: RunOptions): Promise<Result> {
  const { scenario, parameters, id, emit, keep } = options;
  const { collector, surroundings, putBack } = dependencies;
  const startedAt = new Date();
  const arms = armsOf(scenario);
  const state: State = {
    tallies: new Map(arms.map(({ name }) => [name, new ArmTally()])),
    evidence: { calls: 0, complete: 0 },
    done: 0,
  };
  const droppedBefore = collector.dropped;
  const repetitions = arms.length * parameters.repetitions;
  const resultNow = (early: string | undefined) =>
    resultOf(options, surroundings, state, { id, startedAt, early, dropped: collector.dropped - droppedBefore });
  await keep(resultNow('The run is under way, or the lab was ended in the middle of it.'));
  emit({ $case: 'started', value: { runId: id, repetitions, seconds: repetitions * parameters.seconds } });
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const guard = guardPods(dependencies.control, dependencies.lives);
  let failure: { readonly error: unknown } | undefined;
  try {
    await putBack(signal);
    await guard.look(signal);
    for (let repetition = 1; repetition <= parameters.repetitions; repetition++) {
      for (const arm of repetition % 2 === 1 ? arms : arms.toReversed()) {
        await runRepetition(dependencies, { ...options, signal }, state, guard, arm, repetition, over);
      }
    }
  } catch (error) {
    failure = { error };
  } finally {
    collector.expect(undefined);
    await putBack().catch(() => {}); // it stays noted, and the next run begins with it
  }
  const after = `after ${state.done} of ${repetitions} repetitions`;
  const result = resultNow(failure && `The run ${whyEarly(failure.error, options.signal, after)}.`);
  await keep(result);
  if (failure && !options.signal.aborted && !(failure.error instanceof RpcError)) throw failure.error;
  return result;
}

function whyEarly(error: unknown, signal: AbortSignal, after: string): string {
  if (signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError') {
    return `took longer than a run may, and was stopped ${after}`;
  }
  if (signal.aborted) return `was stopped ${after}`;
  return `ended ${after}: ${error instanceof RpcError ? error.message : 'something went wrong in the lab, whose log says what'}`;
}

/** All arms of a scenario, the controls last. */
export function armsOf(scenario: AnyScenario): readonly AnyArm[] {
  return [...scenario.arms, ...scenario.controls];
}

async function runRepetition(
  { mesh, collector, timing = TIMING }: RunDependencies,
  { id, parameters, signal, emit }: RunOptions,
  state: State,
  guard: PodGuard,
  arm: AnyArm,
  repetition: number,
  over: AbortController,
): Promise<void> {
  const at = { arm: arm.name, repetition };
  const tally = state.tallies.get(arm.name) ?? new ArmTally();
  let mark = markUsage();
  let before = new Map(collector.pods);
  let saidAt = 0;
  emit({ $case: 'armStarted', value: at });
  const bench = createBench({
    parameters,
    mesh,
    control: guard.control,
    collector,
    signal,
    prefix: `${id}.${arm.name}.${repetition}.`,
    warmUp: repetition === 1,
    timing,
    onMeasure: () => {
      mark = markUsage();
      before = new Map(collector.pods);
    },
    onProgress: ({ begun, ended, planned }) => {
      if (performance.now() - saidAt < PROGRESS_EVERY_MS && ended < planned) return;
      saidAt = performance.now();
      emit({ $case: 'progress', value: { ...at, callsBegun: begun, callsEnded: ended, callsPlanned: planned } });
    },
    onLoaded: (pictures, hops, loopDelay) => {
      tally.addCalls(pictures, loopDelay);
      state.evidence.calls += pictures.length;
      state.evidence.complete += pictures.filter(picture => isComplete(picture, hops)).length;
    },
  });
  const figures = await runToRest(arm, bench, over);
  signal.throwIfAborted();
  await guard.look(signal);
  tally.addUsage(usageSince(mark), before, collector.pods);
  tally.addFigures(figures);
  state.done++;
  emit({ $case: 'armFinished', value: { ...at, figures: { ...figures } } });
}

interface Facts {
  readonly id: string;
  readonly startedAt: Date;
  /** Why the run has ended before its end; undefined when it has not. */
  readonly early: string | undefined;
  readonly dropped: number;
}

function resultOf({ scenario, parameters }: RunOptions, surroundings: Surroundings, state: State, facts: Facts): Result {
  const { tallies } = state;
  const { calls, complete } = state.evidence;
  const measured = Object.fromEntries([...tallies].map(([name, tally]) => [name, tally.figures]));
  const headline = headlineOf(scenario, measured);
  const evidence = evidenceCheck(calls, complete, facts.dropped);
  const { early } = facts;
  const checks = early === undefined ? [...checkAll(scenario, measured), evidence] : [];
  const labSaturated = [...tallies].flatMap(([name, tally]) => (tally.saturated === 'lab' ? [name] : []));
  const verdict: Result['verdict'] =
    early === undefined
      ? verdictOf(scenario, measured, headline, checks, evidence, labSaturated)
      : { kind: 'incomplete', sentence: early };
  return {
    schemaVersion: RESULT_VERSION,
    id: facts.id,
    scenario: scenario.name,
    claim: scenario.claim,
    startedAt: facts.startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    parameters,
    figures: scenario.figures,
    arms: armsOf(scenario).map(({ name, title }) => {
      const control = scenario.controls.some(each => each.name === name);
      return (tallies.get(name) ?? new ArmTally()).result({ name, title, control });
    }),
    headline,
    checks,
    verdict,
    passed: ['holds', 'depends'].includes(verdict.kind) && checks.every(({ passed }) => passed),
    conditions: {
      ...surroundings,
      calls,
      completeCalls: complete,
      droppedRecords: facts.dropped,
      notTested: scenario.describe.limits,
    },
  };
}
