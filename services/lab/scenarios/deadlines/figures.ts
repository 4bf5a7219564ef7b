import { type CallPicture, endedWith, hopsOf, wastedMs } from '../../call-picture.ts';
import { share, sum } from '../../measure/statistics.ts';
import { CHAIN } from '../../orders.ts';
import type { Figure, Figures } from '../../scenario.ts';

/** The lab's deadline is a whole millisecond, of which up to one had passed already when it was set. */
const ROUNDING_MS = 1;

/** What each repetition of an arm gives. */
export const figures = {
  wasted: { title: 'Work for nobody per call', unit: 'ms' },
  falling: { title: 'Budget falls at every hop', unit: 'share' },
  expired: { title: 'Caller sees DEADLINE_EXCEEDED', unit: 'share' },
  abandoned: { title: 'Some hop went on to OK', unit: 'share' },
} satisfies Record<string, Figure>;

/** The figures of one repetition: of calls that were given `budget` milliseconds. */
export function figuresOf(pictures: readonly CallPicture[], budget: number): Figures<keyof typeof figures> {
  return {
    wasted: sum(pictures.map(wastedMs)) / pictures.length,
    falling: share(pictures, picture => isFalling(budget + ROUNDING_MS, budgetsOf(picture))),
    expired: endedWith(pictures, 'DEADLINE_EXCEEDED'),
    abandoned: share(pictures, picture => CHAIN.some(method => hopsOf(picture, method).some(({ status }) => status === 'OK'))),
  };
}

/** What was left of the deadline at each hop of the chain; without a deadline, or a record, more than any. */
function budgetsOf(picture: CallPicture): number[] {
  return CHAIN.map(method => hopsOf(picture, method)[0]?.budgetMs ?? Infinity);
}

function isFalling(given: number, budgets: readonly number[]): boolean {
  return budgets.every((budget, n) => budget < (budgets[n - 1] ?? given));
}
