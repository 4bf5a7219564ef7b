import { deadlineIn } from '../../../kit/deadline.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, none, observe, ratio } from '../../checks.ts';
import { percent, sum } from '../../measure/statistics.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { description } from './description.ts';
import { figures, figuresOf, LATEST_STOP_MS, LEAVES } from './figures.ts';

/** With propagation, at most this share of all calls has a leaf that stops later than it should. */
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

const arm = armBy(async ({ parameters: { after, work }, mesh, load }: Bench<typeof parameters>, propagates: boolean) => {
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
});

/** A caller that hangs up reaches every handler that works for it, also where a call fans out. */
export const scenario = defineScenario({
  name: 'cancellation',
  claim: {
    says: 'A caller that cancels stops the work at every hop, also where one call has become several',
    by: 'gRPC documentation, guides/cancellation',
  },
  describe: description,
  parameters,
  // enough calls that one of a hundred may be late; in a cluster every call is traced, and takes twice the CPU
  quick: { local: { rate: 20, seconds: 5 }, cluster: { rate: 10 } },
  figures,
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
