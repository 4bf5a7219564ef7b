import { EXPIRY_TOLERANCE_MS } from '../../../kit/deadline.ts';
import { TRANSPORT } from '../../../kit/rpc-error.ts';
import { type CallPicture, durationsOf, endedWith, hopsOf } from '../../call-picture.ts';
import { quantile, share } from '../../measure/statistics.ts';
import { CHAIN } from '../../orders.ts';
import type { Figure, Figures } from '../../scenario.ts';

/** What each repetition of an arm gives. */
export const figures = {
  answered: { title: 'Answered OK', unit: 'share' },
  expired: { title: 'Caller sees DEADLINE_EXCEEDED', unit: 'share' },
  byProxy: { title: 'Ended between the hops', unit: 'share' },
  endedP50: { title: 'Ended after, median', unit: 'ms', latency: true },
  lateP50: { title: 'Ended after the deadline, median', unit: 'ms', latency: true },
  left: { title: 'Left of the deadline then', unit: 'ms' },
} satisfies Record<string, Figure>;

/** The figures of one repetition: of calls that were given `budget` milliseconds. */
export function figuresOf(pictures: readonly CallPicture[], budget: number): Figures<keyof typeof figures> {
  const endedP50 = quantile(durationsOf(pictures), 0.5);
  return {
    answered: endedWith(pictures, 'OK'),
    expired: endedWith(pictures, 'DEADLINE_EXCEEDED'),
    byProxy: share(pictures, picture => isByProxy(picture, budget)),
    endedP50,
    lateP50: endedP50 - budget,
    left: Math.max(0, budget - endedP50),
  };
}

/** Whether a call was ended between its hops: before its deadline, with the word of no service, and cancelled for each of them. */
function isByProxy(picture: CallPicture, budget: number): boolean {
  const hops = CHAIN.flatMap(method => hopsOf(picture, method));
  const early = picture.endedAt - picture.begunAt < budget - EXPIRY_TOLERANCE_MS;
  return early && picture.reason === TRANSPORT && hops.length > 0 && hops.every(({ status }) => status === 'CANCELLED');
}
