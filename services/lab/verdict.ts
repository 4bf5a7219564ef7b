import { median, RESOLUTION, spread } from './measure/statistics.ts';
import type { CheckResult, FigureResult, HeadlineResult, Result } from './result.ts';
import type { AnyScenario, Measured } from './scenario.ts';

/** The least share of calls of which every hop must have left a record. */
export const LEAST_EVIDENCE = 0.99;

type AnyMeasured = Measured<string, string>;

/** A figure over its repetitions. */
export function figureResult(values: readonly number[]): FigureResult {
  const [middle, low, high] = [median(values), Math.min(...values), Math.max(...values)];
  return { median: finite(middle), min: finite(low), max: finite(high), values: values.map(finite) };
}

/** The headline's figure in both arms. */
export function headlineOf({ headline }: AnyScenario, measured: AnyMeasured): HeadlineResult {
  const { figure, arm, control } = headline;
  const [ours, theirs] = [measured[arm]?.[figure] ?? [], measured[control]?.[figure] ?? []];
  const [armMedian, controlMedian] = [median(ours), median(theirs)];
  return {
    ...headline,
    armMedian: finite(armMedian),
    controlMedian: finite(controlMedian),
    ratio: finite(armMedian / controlMedian),
    effect: finite(Math.abs(armMedian - controlMedian)),
    noise: finite(Math.max(spread(ours), spread(theirs))),
  };
}

/** Runs every check; one that throws has not passed. */
export function checkAll({ checks }: AnyScenario, measured: AnyMeasured): CheckResult[] {
  return checks.map(({ says, test }) => {
    try {
      return { says, ...test(measured) };
    } catch {
      return { says, passed: false, observed: 'nothing that it could be checked on' };
    }
  });
}

/** The check that every result has besides: without the records of the hops nothing is known. */
export function evidenceCheck(calls: number, complete: number, dropped: number): CheckResult {
  const share = calls === 0 ? 0 : complete / calls;
  return {
    says: `Every hop has left its record, in ${100 * LEAST_EVIDENCE} % of the calls at least, and none was dropped`,
    passed: share >= LEAST_EVIDENCE && dropped === 0,
    observed: `${complete} of ${calls} calls, ${dropped} records dropped`,
  };
}

/**
 * What the run has shown. It could not tell (`inconclusive`) when evidence is missing, when the repetitions of one arm differ by more
 * than the arms do, or when it compares latencies and the lab was saturated; then the checks say nothing either. But arms that differ by nothing, in a run that would have seen a tenth,
 * are what a claim that is wrong looks like.
 *
 * @param labSaturated the arms in which the lab had no room left
 */
export function verdictOf(
  scenario: AnyScenario,
  measured: AnyMeasured,
  headline: HeadlineResult,
  checks: readonly CheckResult[],
  evidence: CheckResult,
  labSaturated: readonly string[] = [],
): Result['verdict'] {
  const says = `“${scenario.claim.says}”`;
  if (!evidence.passed) return { kind: 'inconclusive', sentence: `Evidence is missing: ${evidence.observed}.` };
  const { effect, noise, arm, control } = headline;
  const figure = scenario.figures[headline.figure];
  const late = labSaturated.filter(name => name === arm || name === control);
  if (figure?.latency && late.length > 0) {
    const sentence = `The lab was saturated in ${late.join(' and ')}, so its latencies (${figure.title}) are its own: lower the rate, or use a machine that is less busy.`;
    return { kind: 'inconclusive', sentence };
  }
  const none = effect === null || noise === null || noise >= effect;
  if (none && !wouldBeSeen(headline)) {
    const sentence = `Repetitions differ by ${shownNumber(noise)}, ${arm} and ${control} by ${shownNumber(effect)} (${figure?.title ?? headline.figure}): this run cannot tell.`;
    return { kind: 'inconclusive', sentence };
  }
  if (none && checks.every(({ passed }) => passed)) {
    return { kind: 'does not hold', sentence: `${says} does not hold here: ${arm} and ${control} do not differ.` };
  }
  const failed = checks.filter(({ passed }) => !passed);
  if (failed.length > 0) {
    const which = failed.map(({ says, observed }) => `${says} (was: ${observed})`).join('; ');
    return { kind: 'does not hold', sentence: `${says} does not hold here: ${which}.` };
  }
  const on = scenario.depends?.(measured);
  if (on !== undefined) return { kind: 'depends', sentence: `${says} depends: ${on}.` };
  return { kind: 'holds', sentence: `${says} holds here.` };
}

function wouldBeSeen({ noise, armMedian, controlMedian }: HeadlineResult): boolean {
  return noise !== null && noise < RESOLUTION * Math.max(Math.abs(armMedian ?? 0), Math.abs(controlMedian ?? 0));
}

/** A number with three digits that count, or none. */
export function shownNumber(value: number | null): string {
  if (value === null) return '–';
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
