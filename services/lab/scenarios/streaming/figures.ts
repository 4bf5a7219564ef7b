import type { Turn } from '../../load-in-turn.ts';
import { median, sum } from '../../measure/statistics.ts';
import type { Figure, Figures } from '../../scenario.ts';
import type { FetchedBatch } from './fetch-batch.ts';

/** What each repetition of an arm gives. */
export const figures = {
  itemsPerSecond: { title: 'Items per second', unit: '' },
  labCpu: { title: 'CPU of the caller per item', unit: 'µs' },
  ordersCpu: { title: 'CPU of orders per item', unit: 'µs' },
  right: { title: 'Items that came, each in its place', unit: 'share' },
} satisfies Record<string, Figure>;

/** The figures of one repetition. A batch that failed counts as nothing that came, and has no rate. */
export function figuresOf(turns: readonly Turn<FetchedBatch>[]): Figures<keyof typeof figures> {
  const of = (figure: keyof FetchedBatch) => median(turns.flatMap(({ outcome }) => outcome?.[figure] ?? []));
  return {
    itemsPerSecond: of('itemsPerSecond'),
    labCpu: of('labCpu'),
    ordersCpu: of('ordersCpu'),
    right: sum(turns.map(({ outcome }) => outcome?.right ?? 0)) / turns.length,
  };
}
