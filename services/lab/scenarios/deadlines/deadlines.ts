import { deadlineIn } from '../../../kit/deadline.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, none, observe, ratio } from '../../checks.ts';
import { percent } from '../../measure/statistics.ts';
import { CHAIN, orderOf } from '../../orders.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { description } from './description.ts';
import { figures, figuresOf } from './figures.ts';

/** With propagation, handlers may do at most this share of the work for nobody that they do without. */
const MOST_WASTE = 0.05;
/** Without it, at least this share of the calls must show the fault: else the control controls nothing. */
const LEAST_ABANDONED = 0.95;

const parameters = {
  ...loadParameters({ rate: 20, seconds: 4, repetitions: 3 }),
  budget: integer({ title: 'The deadline of each call', unit: 'ms', default: 300, min: 50, max: 5000 }),
  work: integer({ title: 'How long payments takes', unit: 'ms', default: 1000, min: 100, max: 10_000 }),
};

const arm = armBy(async ({ parameters: { budget, work }, mesh, load }: Bench<typeof parameters>, propagates: boolean) => {
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
});

/** A deadline that travels ends the work at every hop; one that stays with the caller ends only the wait. */
export const scenario = defineScenario({
  name: 'deadlines',
  claim: {
    says: 'A deadline travels with the call: each hop knows what is left of it, and nobody works on after it has passed',
    by: 'gRPC documentation, guides/deadlines ("Deadline Propagation")',
  },
  describe: description,
  parameters,
  figures,
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
