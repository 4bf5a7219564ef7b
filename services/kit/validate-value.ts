import type { Violation } from './rpc-error.ts';
import type { EnumRules, NumberRules, TextRules } from './validate-rules.ts';
import { shown } from './validate-shown.ts';

/** Finds what a value breaks; paths begin after the value, so that a violation of the value itself has the path "". */
export type ValueValidator = (value: unknown) => readonly Violation[];

/** What is found of a value that obeys its rules. */
export const NONE: readonly Violation[] = [];

/** Finds a text that was not valid UTF-8: codec.ts has marked it. */
export function validUtf8(text: string): readonly Violation[] {
  return text.isWellFormed() ? NONE : violation(`must be valid UTF-8, is ${shown(text.toWellFormed())}`);
}

/** Checks a text. */
export function textValidator({ min = 0, max = Infinity, patterns = [] }: TextRules): ValueValidator {
  const length = min > 0 || max < Infinity ? [`must be ${range(min || undefined, max)} characters`] : [];
  const rule = `${[...length, ...patterns.map(({ says }) => says)].join(' and ')}, is `;
  return value => {
    const text = value as string;
    if (!text.isWellFormed()) return validUtf8(text);
    const holds = hasLength(text, min, max) && patterns.every(({ matches }) => matches.test(text));
    return holds ? NONE : violation(rule + shown(text));
  };
}

/** Counts characters only of a text whose length does not answer by itself: one has one or two UTF-16 units. */
function hasLength(text: string, min: number, max: number): boolean {
  const { length } = text;
  if (length < min || length > 2 * max) return false;
  if (length >= 2 * min && length <= max) return true;
  const characters = [...text].length;
  return characters >= min && characters <= max;
}

/** Checks a number. */
export function numberValidator({ gte = -Infinity, lte = Infinity }: NumberRules): ValueValidator {
  const rule = `must be ${range(gte === -Infinity ? undefined : gte, lte)}, is `;
  return value => ((value as number) >= gte && (value as number) <= lte ? NONE : violation(rule + value));
}

/** Checks a value of an enum. */
export function enumValidator({ values }: EnumRules): ValueValidator {
  const names = Object.entries(values).map(([number, name]) => `${name} (${number})`);
  const rule = `must be ${names.join(' or ')}, is `;
  return value => ((value as number) in values ? NONE : violation(rule + value));
}

/** The one violation of a value, with the path "". */
export function violation(description: string): Violation[] {
  return [{ field: '', description }];
}

/** A range in words: "from 1 to 5". */
export function range(min: number | bigint | undefined, max: number | bigint): string {
  if (min === undefined) return `at most ${max}`;
  return max === Infinity ? `at least ${min}` : `from ${min} to ${max}`;
}
