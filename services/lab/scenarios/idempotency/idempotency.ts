import { type Deadline, deadlineIn } from '../../../kit/deadline.ts';
import { pause } from '../../../kit/pause.ts';
import type { Bench } from '../../bench.ts';
import { endOfCall } from '../../call-picture.ts';
import { all, atLeast, atMost, none, observe } from '../../checks.ts';
import { median, percent } from '../../measure/statistics.ts';
import { CHAIN, orderOf } from '../../orders.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { chargeOf } from './charge-of.ts';
import { description } from './description.ts';
import { figures, figuresOf, type Outcome } from './figures.ts';

/** A deadline that does not matter, in milliseconds. */
const AMPLE_MS = 10_000;
/** How long the caller gives payments to write, beyond what it was told to wait, before it asks again: milliseconds. */
const WRITE_MS = 400;
/** On a busy machine some first attempts expire before orders has heard of them: at most the rest of this share. */
const LEAST_DONE = 0.5;

const parameters = {
  ...loadParameters({ rate: 20, seconds: 4, repetitions: 2 }),
  budget: integer({ title: 'The deadline of the first attempt', unit: 'ms', default: 400, min: 50, max: 2000 }),
  late: integer({ title: 'How much longer payments takes', unit: 'ms', default: 200, min: 50, max: 2000 }),
};

const arm = armBy(async ({ parameters: { budget, late }, mesh, load }: Bench<typeof parameters>, keyed: boolean) => {
  const slowly = [
    { service: 'payments', method: 'Charge', waitMs: budget + late },
    { service: 'orders', detachCalls: true },
  ];
  const outcomes = new Map<string, Outcome>();
  const pictures = await load({
    hops: CHAIN,
    lingerMs: late,
    call: async ({ id, signal, metadata }) => {
      const within = (ms: number): { deadline: Deadline; signal: AbortSignal } => ({ deadline: deadlineIn(ms), signal });
      const [key, second] = [id, keyed ? id : `${id}.again`];
      const slow = { ...within(budget), metadata: metadata(slowly) };
      const first = await endOfCall(mesh.storefront.placeOrder({ order: orderOf(key) }, slow));
      await pause(late + WRITE_MS, signal).catch(() => {}); // when the run is stopped, what follows ends at once
      const charge = await chargeOf(mesh, key, within(AMPLE_MS));
      const again = { ...within(AMPLE_MS), metadata: metadata() };
      const { order } = await mesh.storefront.placeOrder({ order: orderOf(second) }, again);
      const after = await Promise.all([key, second].map(each => chargeOf(mesh, each, within(AMPLE_MS))));
      outcomes.set(id, {
        expired: first.status === 'DEADLINE_EXCEEDED',
        done: charge !== undefined,
        charges: new Set([charge, order?.chargeId, ...after].filter(Boolean)).size,
        same: charge !== undefined && order?.chargeId === charge,
      });
    },
  });
  return figuresOf(pictures, outcomes);
});

/** A deadline that has passed does not say that nothing was done; a key makes asking again safe. */
export const scenario = defineScenario({
  name: 'idempotency',
  claim: {
    says: 'DEADLINE_EXCEEDED does not say that nothing was done: who asks again is charged twice, unless both attempts bear the same key',
    by: 'google.rpc.Code (DEADLINE_EXCEEDED); AIP-155 (request identification)',
  },
  describe: description,
  parameters,
  figures,
  arms: [arm('keyed', 'both attempts bear the same key', true)],
  controls: [arm('unkeyed', 'each attempt makes up a key of its own', false)],
  headline: { figure: 'charged', arm: 'keyed', control: 'unkeyed' },
  checks: [
    {
      says: 'In both arms every first attempt ends with DEADLINE_EXCEEDED and every second with OK',
      test: ({ keyed, unkeyed }) =>
        observe`${all(keyed.expired, unkeyed.expired)} and ${all(keyed.answered, unkeyed.answered)}`,
    },
    {
      says: `In both arms ${percent(LEAST_DONE)} of these first attempts at least were charged all the same`,
      test: ({ keyed, unkeyed }) => observe`${atLeast(LEAST_DONE, [...keyed.done, ...unkeyed.done])}`,
    },
    {
      says: 'With a key there is exactly one charge for each order',
      test: ({ keyed: { charged, twice } }) => {
        // an order that was charged twice may hide another that was not charged
        const { passed, observed } = observe`${atLeast(1, charged, String)} to ${atMost(1, charged, String)} charges per order`;
        return { passed: passed && none(twice).passed, observed };
      },
    },
    {
      says: 'With a key the second attempt is answered with the charge of the first, wherever there is one; without, never',
      test: ({ keyed, unkeyed }) => observe`${all(keyed.same)} with, ${none(unkeyed.same)} without`,
    },
    {
      says: 'Without a key every order that was done all the same is charged twice',
      test: ({ unkeyed }) => {
        const passed = unkeyed.twice.every((twice, n) => twice >= (unkeyed.done[n] ?? Number.NaN));
        return { passed, observed: `${percent(median(unkeyed.twice))} twice, ${percent(median(unkeyed.done))} done` };
      },
    },
  ],
});
