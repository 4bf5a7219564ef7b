import { type Check, shown } from './validate.ts';

/** Whether a text has 1 to `max` characters (Unicode code points), none of them a control character. */
export function isText(text: string, max: number): boolean {
  return text.length <= 2 * max && /^\P{Cc}+$/u.test(text) && [...text].length <= max;
}

/** How many characters an id that a caller chooses may have. */
const ID_LENGTH = 128;

/** Whether a text can be an id that a caller chose: see {@link isText}, at most 128 characters. */
export function isId(text: string): boolean {
  return isText(text, ID_LENGTH);
}

/** Checks a field by {@link isText}. */
export function checkText(check: Check, field: string, text: string, max: number): void {
  check(isText(text, max), field, `must be 1 to ${max} characters, none a control character, is ${shown(text)}`);
}

/** Checks a field by {@link isId}. */
export function checkId(check: Check, field: string, text: string): void {
  checkText(check, field, text, ID_LENGTH);
}

/** Checks that a field is from `min` to `max`, both included. */
export function checkRange<Whole extends number | bigint>(
  check: Check,
  field: string,
  value: Whole,
  min: Whole,
  max: Whole,
): void {
  check(value >= min && value <= max, field, `must be from ${min} to ${max}, is ${value}`);
}

/** Checks that a field has the form of an ISO 4217 currency code. */
export function checkCurrencyCode(check: Check, field: string, text: string): void {
  check(/^[A-Z]{3}$/.test(text), field, `must be three capital letters such as EUR, is ${shown(text)}`);
}
