import { type CallPicture, endedWith, hopsOf, wastedMs } from '../../call-picture.ts';
import { quantile, share, sum } from '../../measure/statistics.ts';
import type { Figure, Figures } from '../../scenario.ts';

/** What GetProfile asks at the same time. */
export const LEAVES = ['GetUser', 'ListOrders'] as const;

/** With propagation the last leaf has stopped this long after the cancellation, in milliseconds. */
export const LATEST_STOP_MS = 100;

/** What each repetition of an arm gives. */
export const figures = {
  stopP50: { title: 'Last leaf stopped after, median', unit: 'ms', latency: true },
  stopP99: { title: 'Last leaf stopped after, p99', unit: 'ms', latency: true },
  late: { title: `Last leaf stopped after more than ${LATEST_STOP_MS} ms`, unit: 'share' },
  wasted: { title: 'Work for nobody per call', unit: 'ms' },
  cancelled: { title: 'Caller sees CANCELLED', unit: 'share' },
  finished: { title: 'Leaves that went on to OK', unit: 'share' },
} satisfies Record<string, Figure>;

/** The figures of one repetition. */
export function figuresOf(pictures: readonly CallPicture[]): Figures<keyof typeof figures> {
  const stops = pictures.map(picture => Math.max(...LEAVES.map(method => stopOf(picture, method))));
  const leaves = pictures.flatMap(picture => LEAVES.flatMap(method => hopsOf(picture, method)));
  return {
    stopP50: quantile(stops, 0.5),
    stopP99: quantile(stops, 0.99),
    late: share(stops, ms => ms > LATEST_STOP_MS),
    wasted: sum(pictures.map(wastedMs)) / pictures.length,
    cancelled: endedWith(pictures, 'CANCELLED'),
    finished: share(leaves, ({ status }) => status === 'OK'),
  };
}

/** How long after the end of the call a leaf has stopped, in milliseconds; Infinity without a record, for then it may still be at it. */
function stopOf(picture: CallPicture, method: string): number {
  const stops = hopsOf(picture, method).map(({ stoppedAt }) => stoppedAt - picture.endedAt);
  return stops.length === 0 ? Infinity : Math.max(...stops);
}
