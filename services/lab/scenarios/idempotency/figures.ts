import { type CallPicture, endedWith } from '../../call-picture.ts';
import { share, sum } from '../../measure/statistics.ts';
import type { Figure, Figures } from '../../scenario.ts';

/** What became of one order, that was asked for twice. */
export interface Outcome {
  /** Whether the first attempt ended with DEADLINE_EXCEEDED. */
  readonly expired: boolean;
  /** Whether it was charged nevertheless: its charge was in the ledger before the second attempt. */
  readonly done: boolean;
  /** The different charges that were seen: in the ledger before and after the second attempt, and in its answer. */
  readonly charges: number;
  /** Whether the second attempt was answered with the charge of the first. */
  readonly same: boolean;
}

/** What each repetition of an arm gives. */
export const figures = {
  charged: { title: 'Charges per order', unit: '' },
  twice: { title: 'Orders charged twice', unit: 'share' },
  expired: { title: 'First attempt: DEADLINE_EXCEEDED', unit: 'share' },
  done: { title: 'Done all the same', unit: 'share' },
  answered: { title: 'Second attempt: OK', unit: 'share' },
  same: { title: 'Second answer has the first charge', unit: 'share' },
} satisfies Record<string, Figure>;

/** The figures of one repetition; an order without an outcome is one whose second attempt, or whose look-up, has failed. */
export function figuresOf(
  pictures: readonly CallPicture[],
  outcomes: ReadonlyMap<string, Outcome>,
): Figures<keyof typeof figures> {
  const known = pictures.flatMap(({ id }) => outcomes.get(id) ?? []);
  const [expired, done] = [known.filter(outcome => outcome.expired), known.filter(outcome => outcome.done)];
  return {
    charged: sum(known.map(({ charges }) => charges)) / pictures.length,
    twice: known.filter(({ charges }) => charges > 1).length / pictures.length,
    expired: expired.length / pictures.length,
    done: share(expired, ({ done }) => done),
    answered: endedWith(pictures, 'OK'),
    same: share(done, ({ same }) => same),
  };
}
