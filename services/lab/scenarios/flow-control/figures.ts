import { hopsOf } from '../../call-picture.ts';
import type { Turn } from '../../load-in-turn.ts';
import { median, quantile, sum } from '../../measure/statistics.ts';
import { rightShare } from '../../order-batches.ts';
import type { Figure, Figures } from '../../scenario.ts';
import type { SlowRead } from './slow-reader.ts';

/** What each repetition of an arm gives. */
export const figures = {
  right: { title: 'Items that came, each in its place', unit: 'share' },
  held: { title: 'Slow reader held at most', unit: 'share' },
  heap: { title: 'Live heap half way, more than before', unit: 'MB' },
  ahead: { title: 'Still to be read when the server was done', unit: 'share' },
  aheadMb: { title: 'The same, at least', unit: 'MB' },
} satisfies Record<string, Figure>;

/** The figures of one repetition of reading these items, each of which has so many bytes at least. */
export function figuresOf(
  turns: readonly Turn<SlowRead<string>>[],
  expected: readonly string[],
  itemBytes: number,
): Figures<keyof typeof figures> {
  const reads = turns.flatMap(({ outcome }) => outcome ?? []);
  const mostOf = (values: readonly number[]) => quantile(values, 1);
  const ahead = turns.map(({ picture, outcome }) => {
    const stoppedAt = hopsOf(picture, 'ListOrders')[0]?.stoppedAt ?? Number.NaN;
    return (outcome?.takenAt ?? []).filter(at => at > stoppedAt).length / expected.length;
  });
  return {
    right: sum(turns.map(({ outcome }) => rightShare(expected, outcome?.items ?? []))) / turns.length,
    held: mostOf(reads.map(({ heldMost }) => heldMost)) / expected.length,
    heap: median(reads.map(({ heapBytes }) => heapBytes / 1e6)),
    ahead: median(ahead),
    aheadMb: (median(ahead) * expected.length * itemBytes) / 1e6,
  };
}
