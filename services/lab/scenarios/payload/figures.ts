import type { Turn } from '../../load-in-turn.ts';
import { median, sum } from '../../measure/statistics.ts';
import type { Figure, Figures } from '../../scenario.ts';

/** The orders that are sent, by their lines. */
export const SIZES = [1, 20, 200] as const;

/** One of them. */
export type Size = (typeof SIZES)[number];

/** What each repetition of an arm gives. */
export const figures = {
  bytes1: { title: 'On the wire, 1 line', unit: 'B' },
  bytes20: { title: 'On the wire, 20 lines', unit: 'B' },
  bytes200: { title: 'On the wire, 200 lines', unit: 'B' },
  codec1: { title: 'Encoded and decoded, 1 line', unit: 'µs' },
  codec20: { title: 'Encoded and decoded, 20 lines', unit: 'µs' },
  codec200: { title: 'Encoded and decoded, 200 lines', unit: 'µs' },
  same: { title: 'Orders that arrived as they were sent', unit: 'share' },
} satisfies Record<string, Figure>;

/** The name of one. */
export type FigureName = keyof typeof figures;

/** What one round has given: figures of each size, and the share of the orders that arrived as they were sent. */
export type Round = Figures<FigureName>;

/** The figures of one repetition. */
export function figuresOf(turns: readonly Turn<Round>[]): Figures<FigureName> {
  const of = (figure: FigureName) => median(turns.flatMap(({ outcome }) => outcome?.[figure] ?? []));
  return {
    bytes1: of('bytes1'),
    bytes20: of('bytes20'),
    bytes200: of('bytes200'),
    codec1: of('codec1'),
    codec20: of('codec20'),
    codec200: of('codec200'),
    same: sum(turns.map(({ outcome }) => outcome?.same ?? 0)) / turns.length,
  };
}
