import { median, percent } from './measure/statistics.ts';
import type { Observation } from './scenario.ts';

/** A value that was compared with its limit. */
export interface Compared {
  readonly passed: boolean;
  /** The value, as the result shows it. */
  readonly shown: string;
}

/** One number, or the repetitions of one or more arms. A comparison of no values, or of NaN, fails. */
type Values = number | readonly number[];

/** Writes a number for readers. */
type Show = (value: number) => string;

/** No value is below the limit. Shows the smallest one. */
export function atLeast(limit: number, values: Values, show: Show = percent): Compared {
  const least = extreme(Math.min, values);
  return { passed: least >= limit, shown: show(least) };
}

/** No value is above the limit. Shows the largest one. */
export function atMost(limit: number, values: Values, show: Show = percent): Compared {
  const most = extreme(Math.max, values);
  return { passed: most <= limit, shown: show(most) };
}

/** The number is this one. */
export function exactly(expected: number, value: number, show: Show = String): Compared {
  return { passed: value === expected, shown: show(value) };
}

/** Shares that are 100 %, in every repetition of these arms. Shows the smallest one. */
export const all = (...arms: readonly (readonly number[])[]): Compared => exactly(1, extreme(Math.min, arms.flat()), percent);

/** Shares that are 0 %, in every repetition of these arms. Shows the largest one. */
export const none = (...arms: readonly (readonly number[])[]): Compared => exactly(0, extreme(Math.max, arms.flat()), percent);

/** The median of one arm, divided by the median of another. */
export const ratio = (one: readonly number[], other: readonly number[]): number => median(one) / median(other);

/** The values of a figure in all repetitions of all these arms. */
export const inEvery = <FigureName extends string>(
  arms: Readonly<Record<string, Readonly<Record<FigureName, readonly number[]>>>>,
  figure: FigureName,
): number[] => Object.values(arms).flatMap(arm => arm[figure]);

/** Writes a number with so many decimals. */
export const decimals =
  (digits: number): Show =>
  value =>
    value.toFixed(digits);

/**
 * What a check has seen, as a template: the check passes when every comparison in it does.
 *
 *     observe`${none(propagated.abandoned)} with, ${atLeast(0.95, detached.abandoned)} without`
 */
export function observe(texts: TemplateStringsArray, ...parts: readonly (Compared | string)[]): Observation {
  const shown = parts.map(part => (typeof part === 'string' ? part : part.shown));
  return {
    passed: parts.every(part => typeof part === 'string' || part.passed),
    observed: String.raw({ raw: texts }, ...shown),
  };
}

function extreme(choose: (...values: number[]) => number, values: Values): number {
  if (typeof values === 'number') return values;
  return values.length === 0 ? Number.NaN : choose(...values);
}
