import { type CallPicture, endedWith, hopsOf, waitsOf } from '../../call-picture.ts';
import { type Connections, countConnections, mostAtOnce } from '../../connections.ts';
import { quantile } from '../../measure/statistics.ts';
import type { Figure, Figures } from '../../scenario.ts';

/** What each repetition of an arm gives. */
export const figures = {
  stale: { title: 'Deadline by the callee later than the caller’s, p99', unit: 'ms', latency: true },
  waited: { title: 'Call by the caller, p99, in multiples of the work', unit: '', latency: true },
  served: { title: 'Call by the callee, p99, in multiples of the work', unit: '' },
  connections: { title: 'Connections', unit: '' },
  atOnce: { title: 'Calls at once on one, most', unit: 'calls' },
  answered: { title: 'Calls answered', unit: 'share' },
} satisfies Record<string, Figure>;

/** The figures of one repetition of calls of `budget` milliseconds, for each of which users was told to take `work`. */
export function figuresOf(
  pictures: readonly CallPicture[],
  connections: Connections,
  { work, budget }: { readonly work: number; readonly budget: number },
): Figures<keyof typeof figures> {
  const served = pictures.flatMap(picture => hopsOf(picture, 'GetUser').map(hop => ({ ...hop, begunAt: picture.begunAt })));
  const p99 = (values: readonly number[]) => quantile(values, 0.99);
  return {
    stale: p99(served.map(({ arrivedAt, budgetMs = Infinity, begunAt }) => arrivedAt + budgetMs - (begunAt + budget))),
    waited: p99(waitsOf(pictures)) / work,
    served: p99(served.map(({ arrivedAt, endedAt }) => endedAt - arrivedAt)) / work,
    connections: countConnections(pictures, connections),
    atOnce: mostAtOnce(pictures, connections, 'GetUser'),
    answered: endedWith(pictures, 'OK'),
  };
}
