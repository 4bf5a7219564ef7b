import type { RunScenarioResponse } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { ArmTally } from './arm-tally.ts';
import { createBench, TIMING, type Timing } from './bench.ts';
import { isComplete } from './call-picture.ts';
import type { Collector } from './collector.ts';
import type { Surroundings } from './conditions.ts';
import type { Control } from './control.ts';
import { markUsage, usageSince } from './measure/usage.ts';
import type { Mesh } from './mesh.ts';
import type { LoadParameters, ParameterSpecs, Values } from './parameters.ts';
import { RESULT_VERSION, type Result } from './result.ts';
import type { AnyScenario } from './scenario.ts';
import { checkAll, evidenceCheck, headlineOf, verdictOf } from './verdict.ts';

/** What runs are made with. */
export interface RunDependencies {
  readonly mesh: Mesh;
  readonly control: Control;
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
 * what drifts meanwhile meets all of them. Resolves to the result; when the signal aborts, to one that is incomplete.
 *
 * @throws what an arm throws, unless the signal has aborted
 */
export async function runScenario(dependencies: RunDependencies, options: RunOptions): Promise<Result> {
  const { scenario, parameters, id, signal, emit } = options;
  const { collector } = dependencies;
  const startedAt = new Date();
  const arms = armsOf(scenario);
  const state: State = {
    tallies: new Map(arms.map(({ name }) => [name, new ArmTally()])),
    evidence: { calls: 0, complete: 0 },
    done: 0,
  };
  const droppedBefore = collector.dropped;
  const repetitions = arms.length * parameters.repetitions;
  emit({ $case: 'started', value: { runId: id, repetitions, seconds: repetitions * parameters.seconds } });
  try {
    for (let repetition = 1; repetition <= parameters.repetitions; repetition++) {
      for (const arm of repetition % 2 === 1 ? arms : arms.toReversed()) {
        await runRepetition(dependencies, options, state, arm, repetition);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    collector.expect(undefined);
  }
  const dropped = collector.dropped - droppedBefore;
  const facts = { id, startedAt, complete: state.done === repetitions, repetitions, dropped };
  return resultOf(options, dependencies.surroundings, state, facts);
}

/** All arms of a scenario, the controls last. */
export function armsOf(scenario: AnyScenario): readonly AnyArm[] {
  return [...scenario.arms, ...scenario.controls];
}

async function runRepetition(
  { mesh, control, collector, timing = TIMING }: RunDependencies,
  { id, parameters, signal, emit }: RunOptions,
  state: State,
  arm: AnyArm,
  repetition: number,
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
    control,
    collector,
    signal,
    prefix: `${id}/${arm.name}/${repetition}/`,
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
    onLoaded: (pictures, hops) => {
      tally.addCalls(pictures);
      state.evidence.calls += pictures.length;
      state.evidence.complete += pictures.filter(picture => isComplete(picture, hops)).length;
    },
  });
  const figures = await arm.run(bench);
  signal.throwIfAborted();
  tally.addUsage(usageSince(mark), before, collector.pods);
  tally.addFigures(figures);
  state.done++;
  emit({ $case: 'armFinished', value: { ...at, figures: { ...figures } } });
}

interface Facts {
  readonly id: string;
  readonly startedAt: Date;
  readonly complete: boolean;
  readonly repetitions: number;
  readonly dropped: number;
}

function resultOf({ scenario, parameters }: RunOptions, surroundings: Surroundings, state: State, facts: Facts): Result {
  const { tallies } = state;
  const { calls, complete } = state.evidence;
  const measured = Object.fromEntries([...tallies].map(([name, tally]) => [name, tally.figures]));
  const headline = headlineOf(scenario, measured);
  const evidence = evidenceCheck(calls, complete, facts.dropped);
  const checks = facts.complete ? [...checkAll(scenario, measured), evidence] : [];
  const stopped = {
    kind: 'incomplete' as const,
    sentence: `The run was stopped after ${state.done} of ${facts.repetitions} repetitions.`,
  };
  const verdict = facts.complete ? verdictOf(scenario, measured, headline, checks, evidence) : stopped;
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
