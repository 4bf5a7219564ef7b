import { deadlineIn } from '../../../kit/deadline.ts';
import { type CallPicture, hopsOf, wastedMs } from '../../call-picture.ts';
import { all, atLeast, atMost, none, observe, ratio } from '../../checks.ts';
import { percent, share, sum } from '../../measure/statistics.ts';
import { orderOf } from '../../orders.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { type Arm, defineScenario } from '../../scenario.ts';

/** The hops of PlaceOrder that wait for payments, from the outside in. */
const CHAIN = ['PlaceOrder', 'CreateOrder', 'Charge'] as const;
/** The lab's deadline is a whole millisecond, of which up to one had passed already when it was set. */
const ROUNDING_MS = 1;
/** With propagation, handlers may do at most this share of the work for nobody that they do without. */
const MOST_WASTE = 0.05;
/** Without it, at least this share of the calls must show the fault: else the control controls nothing. */
const LEAST_ABANDONED = 0.95;

const parameters = {
  ...loadParameters({ rate: 20, seconds: 4, repetitions: 3 }),
  budget: integer({ title: 'The deadline of each call', unit: 'ms', default: 300, min: 50, max: 5000 }),
  work: integer({ title: 'How long payments takes', unit: 'ms', default: 1000, min: 100, max: 10_000 }),
};

type Figure = 'wasted' | 'falling' | 'expired' | 'abandoned';

const arm = <const Name extends string>(
  name: Name,
  title: string,
  propagates: boolean,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run({ parameters: { budget, work }, mesh, load }) {
    const detached = propagates ? [] : ['storefront', 'orders'].map(service => ({ service, detachCalls: true }));
    const steps = [{ service: 'payments', method: 'Charge', waitMs: work }, ...detached];
    const pictures = await load({
      hops: CHAIN,
      lingerMs: work,
      call: ({ id, signal, metadata }) => {
        const limits = { deadline: deadlineIn(budget), signal, metadata: metadata(steps) };
        return mesh.storefront.placeOrder({ order: orderOf(id) }, limits);
      },
    });
    return figuresOf(pictures, budget);
  },
});

/** The figures of one repetition: of calls that were given `budget` milliseconds. */
export function figuresOf(pictures: readonly CallPicture[], budget: number): Record<Figure, number> {
  return {
    wasted: sum(pictures.map(wastedMs)) / pictures.length,
    falling: share(pictures, picture => isFalling(budget + ROUNDING_MS, budgetsOf(picture))),
    expired: share(pictures, ({ status }) => status === 'DEADLINE_EXCEEDED'),
    abandoned: share(pictures, ({ hops }) =>
      CHAIN.some(method => hopsOf({ hops }, method).some(({ status }) => status === 'OK')),
    ),
  };
}

/** What was left of the deadline at each hop of the chain; without a deadline, or a record, more than any. */
function budgetsOf(picture: CallPicture): number[] {
  return CHAIN.map(method => hopsOf(picture, method)[0]?.budgetMs ?? Infinity);
}

function isFalling(given: number, budgets: readonly number[]): boolean {
  return budgets.every((budget, n) => budget < (budgets[n - 1] ?? given));
}

/** A deadline that travels ends the work at every hop; one that stays with the caller ends only the wait. */
export const scenario = defineScenario({
  name: 'deadlines',
  claim: {
    says: 'A deadline travels with the call: each hop knows what is left of it, and nobody works on after it has passed',
    by: 'gRPC documentation, guides/deadlines ("Deadline Propagation")',
  },
  describe: {
    question: 'What do handlers further down do when the caller has given up?',
    method:
      'PlaceOrder goes from storefront to orders to payments, which is told to take longer than the deadline allows. In one arm the ' +
      'deadline and the cancellation go along with every call; in the control storefront and orders call on without them, as a ' +
      'service does that does not hand them on.',
    reading:
      '“Work for nobody” is what all handlers of a call did, added up, after its caller had its answer: a slot, memory and CPU of ' +
      'three services. It is one figure per call; the ratio of the arms says how much of it propagation saves.',
    limits: [
      'Handlers here wait and compute little: time that is held, not CPU, is what is counted.',
      'Clocks of different nodes are compared in a cluster of several; on one machine there is one clock.',
      'Other languages than TypeScript.',
    ],
  },
  parameters,
  figures: {
    wasted: { title: 'Work for nobody per call', unit: 'ms' },
    falling: { title: 'Budget falls at every hop', unit: 'share' },
    expired: { title: 'Caller sees DEADLINE_EXCEEDED', unit: 'share' },
    abandoned: { title: 'Some hop went on to OK', unit: 'share' },
  },
  arms: [arm('propagated', 'deadline and cancellation go along with every call', true)],
  controls: [arm('detached', 'storefront and orders call on without them', false)],
  headline: { figure: 'wasted', arm: 'propagated', control: 'detached' },
  checks: [
    {
      says: 'With propagation the budget falls strictly from hop to hop in 100 % of the calls',
      test: ({ propagated }) => observe`${all(propagated.falling)}`,
    },
    {
      says: `With propagation handlers work for nobody at most ${percent(MOST_WASTE)} of what they do without`,
      test: ({ propagated, detached }) => observe`${atMost(MOST_WASTE, ratio(propagated.wasted, detached.wasted))}`,
    },
    {
      says: 'Every caller, in both arms, sees DEADLINE_EXCEEDED',
      test: ({ propagated, detached }) => observe`${all(propagated.expired, detached.expired)}`,
    },
    {
      says: `With propagation no hop goes on to OK; without, some hop does in ${percent(LEAST_ABANDONED)} of the calls at least`,
      test: ({ propagated, detached }) =>
        observe`${none(propagated.abandoned)} with, ${atLeast(LEAST_ABANDONED, detached.abandoned)} without`,
    },
  ],
});
