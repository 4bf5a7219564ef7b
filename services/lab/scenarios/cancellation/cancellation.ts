import { deadlineIn } from '../../../kit/deadline.ts';
import { type CallPicture, hopsOf, wastedMs } from '../../call-picture.ts';
import { all, atLeast, atMost, none, observe, ratio } from '../../checks.ts';
import { percent, quantile, share, sum } from '../../measure/statistics.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { type Arm, defineScenario } from '../../scenario.ts';

/** What GetProfile asks at the same time. */
const LEAVES = ['GetUser', 'ListOrders'] as const;
/** With propagation the last leaf has stopped this long after the cancellation, in milliseconds, but for this share of all calls. */
const LATEST_STOP_MS = 100;
const MOST_LATE = 0.01;
/** With propagation, handlers may do at most this share of the work for nobody that they do without. */
const MOST_WASTE = 0.05;
/** A call whose caller does not cancel it would last this long, in milliseconds. */
const DEADLINE_MS = 30_000;

const parameters = {
  ...loadParameters({ rate: 20, seconds: 17, repetitions: 3 }),
  after: integer({ title: 'When the caller cancels', unit: 'ms', default: 150, min: 20, max: 5000 }),
  work: integer({ title: 'How long both leaves take', unit: 'ms', default: 1500, min: 100, max: 10_000 }),
};

type Figure = 'stopP50' | 'stopP99' | 'late' | 'wasted' | 'cancelled' | 'finished';

const arm = <const Name extends string>(
  name: Name,
  title: string,
  propagates: boolean,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run({ parameters: { after, work }, mesh, load }) {
    const leaves = ['users', 'orders'].map(service => ({ service, waitMs: work }));
    const steps = propagates ? leaves : [...leaves, { service: 'storefront', detachCalls: true }];
    const pictures = await load({
      hops: ['GetProfile', ...LEAVES],
      lingerMs: work,
      call: ({ signal, metadata }) => {
        const cancelled = AbortSignal.any([signal, AbortSignal.timeout(after)]);
        const limits = { deadline: deadlineIn(DEADLINE_MS), signal: cancelled, metadata: metadata(steps) };
        return mesh.storefront.getProfile({ userId: 1, orderLimit: 1 }, limits);
      },
    });
    return figuresOf(pictures);
  },
});

/** The figures of one repetition. */
export function figuresOf(pictures: readonly CallPicture[]): Record<Figure, number> {
  const stops = pictures.map(picture => Math.max(...LEAVES.map(method => stopOf(picture, method))));
  const leaves = pictures.flatMap(picture => LEAVES.flatMap(method => hopsOf(picture, method)));
  return {
    stopP50: quantile(stops, 0.5),
    stopP99: quantile(stops, 0.99),
    late: share(stops, ms => ms > LATEST_STOP_MS),
    wasted: sum(pictures.map(wastedMs)) / pictures.length,
    cancelled: share(pictures, ({ status }) => status === 'CANCELLED'),
    finished: share(leaves, ({ status }) => status === 'OK'),
  };
}

/** How long after the end of the call a leaf has stopped, in milliseconds; Infinity without a record, for then it may still be at it. */
function stopOf(picture: CallPicture, method: string): number {
  const stops = hopsOf(picture, method).map(({ stoppedAt }) => stoppedAt - picture.endedAt);
  return stops.length === 0 ? Infinity : Math.max(...stops);
}

/** A caller that hangs up reaches every handler that works for it, also where a call fans out. */
export const scenario = defineScenario({
  name: 'cancellation',
  claim: {
    says: 'A caller that cancels stops the work at every hop, also where one call has become several',
    by: 'gRPC documentation, guides/cancellation',
  },
  describe: {
    question: 'When the caller hangs up, when does the last handler below stop?',
    method:
      'GetProfile asks users and orders at the same time, both told to take long, and its caller cancels. In one arm storefront ' +
      'hands the cancellation on; in the control it calls on without it.',
    reading:
      'The figures are the time from the cancellation until the last leaf has stopped: the median, and what 99 of 100 calls stay ' +
      'below. The control shows how long leaves would have gone on. “Work for nobody” is what all handlers of a call did, added ' +
      'up, after their caller had hung up.',
    limits: [
      'Handlers that never look at their signal: cancellation tells a handler, it does not end it.',
      'Clocks of different nodes are compared in a cluster of several; on one machine there is one clock.',
      'Callers that vanish without a reset (a cut cable): those are found by keepalive.',
    ],
  },
  parameters,
  figures: {
    stopP50: { title: 'Last leaf stopped after, median', unit: 'ms', latency: true },
    stopP99: { title: 'Last leaf stopped after, p99', unit: 'ms', latency: true },
    late: { title: `Last leaf stopped after more than ${LATEST_STOP_MS} ms`, unit: 'share' },
    wasted: { title: 'Work for nobody per call', unit: 'ms' },
    cancelled: { title: 'Caller sees CANCELLED', unit: 'share' },
    finished: { title: 'Leaves that went on to OK', unit: 'share' },
  },
  arms: [arm('propagated', 'storefront hands the cancellation on', true)],
  controls: [arm('detached', 'storefront calls on without it', false)],
  headline: { figure: 'stopP99', arm: 'propagated', control: 'detached' },
  checks: [
    {
      says: `With propagation the last leaf has stopped within ${LATEST_STOP_MS} ms in 99 % of all calls at least`,
      test: ({ propagated: { late } }) => {
        const ofAll = sum(late) / late.length; // each repetition has as many calls
        return { passed: ofAll <= MOST_LATE, observed: percent(1 - ofAll) };
      },
    },
    {
      says: `With propagation handlers work for nobody at most ${percent(MOST_WASTE)} of what they do without`,
      test: ({ propagated, detached }) => observe`${atMost(MOST_WASTE, ratio(propagated.wasted, detached.wasted))}`,
    },
    {
      says: 'Every caller, in both arms, sees CANCELLED',
      test: ({ propagated, detached }) => observe`${all(propagated.cancelled, detached.cancelled)}`,
    },
    {
      says: 'With propagation no leaf goes on to OK; without, 95 % do at least',
      test: ({ propagated, detached }) =>
        observe`${none(propagated.finished)} with, ${atLeast(0.95, detached.finished)} without`,
    },
  ],
});
