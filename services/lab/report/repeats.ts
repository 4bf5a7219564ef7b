import { median } from '../measure/statistics.ts';
import type { Result, VerdictKind } from '../result.ts';

/** The least, the median and the greatest of what several runs gave; null where none gave a number. */
export interface Range {
  readonly min: number | null;
  readonly median: number | null;
  readonly max: number | null;
}

/** What the runs of one scenario have in common, and how far they differ. */
export interface Repeats {
  readonly scenario: string;
  readonly runs: number;
  /** How many of them passed all checks. */
  readonly passed: number;
  /** How often each verdict came. */
  readonly verdicts: Readonly<Partial<Record<VerdictKind, number>>>;
  /** Each check, of the arms and of the controls, with how many runs made it and how many passed it. */
  readonly checks: readonly { readonly says: string; readonly made: number; readonly passed: number }[];
  /** The medians of the headline's figure, over the runs. */
  readonly headline: { readonly figure: string; readonly arm: Range; readonly control: Range };
}

/** The results by scenario, in the order in which they are first met. */
export function byScenario(results: readonly Result[]): ReadonlyMap<string, readonly Result[]> {
  return Map.groupBy(results, ({ scenario }) => scenario);
}

/** Sums up the runs of one scenario, at least one. */
export function repeatsOf(results: readonly Result[]): Repeats {
  const [{ scenario = '', headline } = {}] = results;
  const verdicts: Partial<Record<VerdictKind, number>> = {};
  for (const { verdict } of results) verdicts[verdict.kind] = (verdicts[verdict.kind] ?? 0) + 1;
  const checks = Map.groupBy(
    results.flatMap(({ checks }) => checks),
    ({ says }) => says,
  );
  return {
    scenario,
    runs: results.length,
    passed: results.filter(({ passed }) => passed).length,
    verdicts,
    checks: [...checks].map(([says, seen]) => ({ says, made: seen.length, passed: seen.filter(each => each.passed).length })),
    headline: {
      figure: headline?.figure ?? '',
      arm: rangeOf(results.map(({ headline }) => headline.armMedian)),
      control: rangeOf(results.map(({ headline }) => headline.controlMedian)),
    },
  };
}

function rangeOf(values: readonly (number | null)[]): Range {
  const numbers = values.filter(value => value !== null);
  if (numbers.length === 0) return { min: null, median: null, max: null };
  return { min: Math.min(...numbers), median: median(numbers), max: Math.max(...numbers) };
}
