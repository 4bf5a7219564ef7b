import { status } from '@grpc/grpc-js';
import type { Step } from '../../../../proto/gen/telltale/script/v1/script.ts';
import { type Deadline, deadlineIn } from '../../../kit/deadline.ts';
import { pause } from '../../../kit/pause.ts';
import { hasCode } from '../../../kit/rpc-error.ts';
import { type CallPicture, endOfCall } from '../../call-picture.ts';
import { all, atLeast, atMost, none, observe } from '../../checks.ts';
import { median, percent, share, sum } from '../../measure/statistics.ts';
import type { Mesh } from '../../mesh.ts';
import { orderOf } from '../../orders.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { type Arm, defineScenario } from '../../scenario.ts';

/** The hops of PlaceOrder that wait for payments. */
const CHAIN = ['PlaceOrder', 'CreateOrder', 'Charge'] as const;
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

/** What became of one order, that was asked for twice. */
export interface Outcome {
  /** Whether the first attempt ended with DEADLINE_EXCEEDED. */
  readonly expired: boolean;
  /** Whether it was charged nevertheless: its charge was in the ledger before the second attempt. */
  readonly done: boolean;
  /** The different charges that were seen: in the ledger before and after the second attempt, and in its answer. */
  readonly charges: number;
  /** Whether the second attempt was answered with the charge of the first. */
  readonly same: boolean;
}

interface Limits {
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

type Figure = 'charged' | 'twice' | 'expired' | 'done' | 'answered' | 'same';

const arm = <const Name extends string>(name: Name, title: string, keyed: boolean): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run({ parameters: { budget, late }, mesh, load }) {
    const slowly = [
      { service: 'payments', method: 'Charge', waitMs: budget + late },
      { service: 'orders', detachCalls: true },
    ];
    const outcomes = new Map<string, Outcome>();
    const pictures = await load({
      hops: CHAIN,
      lingerMs: late,
      call: async ({ id, signal, metadata }) => {
        const within = (ms: number): Limits => ({ deadline: deadlineIn(ms), signal });
        const place = (orderId: string, limits: Limits, steps: Partial<Step>[] = []) =>
          mesh.storefront.placeOrder({ order: orderOf(orderId) }, { ...limits, metadata: metadata(steps) });
        const keys = [id, keyed ? id : `${id}/again`] as const;

        const first = await endOfCall(place(keys[0], within(budget), slowly));
        await pause(late + WRITE_MS, signal).catch(() => {}); // when the run is stopped, what follows ends at once
        const charge = await chargeOf(mesh, keys[0], within(AMPLE_MS));
        const { order } = await place(keys[1], within(AMPLE_MS));
        const after = await Promise.all(keys.map(key => chargeOf(mesh, key, within(AMPLE_MS))));

        outcomes.set(id, {
          expired: first.status === 'DEADLINE_EXCEEDED',
          done: charge !== undefined,
          charges: new Set([charge, order?.chargeId, ...after].filter(Boolean)).size,
          same: charge !== undefined && order?.chargeId === charge,
        });
      },
    });
    return figuresOf(pictures, outcomes);
  },
});

/** The charge of a key in the ledger, by its id; undefined when there is none. */
async function chargeOf(mesh: Mesh, idempotencyKey: string, limits: Limits): Promise<string | undefined> {
  try {
    const { charge } = await mesh.payments.getCharge({ idempotencyKey }, limits);
    return charge?.chargeId;
  } catch (error) {
    if (hasCode(error, status.NOT_FOUND)) return undefined;
    throw error;
  }
}

/** The figures of one repetition; an order without an outcome is one whose second attempt, or whose look-up, has failed. */
export function figuresOf(pictures: readonly CallPicture[], outcomes: ReadonlyMap<string, Outcome>): Record<Figure, number> {
  const known = pictures.flatMap(({ id }) => outcomes.get(id) ?? []);
  const expired = known.filter(outcome => outcome.expired);
  return {
    charged: sum(known.map(({ charges }) => charges)) / pictures.length,
    twice: known.filter(({ charges }) => charges > 1).length / pictures.length,
    expired: expired.length / pictures.length,
    done: share(expired, ({ done }) => done),
    answered: share(pictures, ({ status }) => status === 'OK'),
    same: share(
      known.filter(({ done }) => done),
      ({ same }) => same,
    ),
  };
}

/** A deadline that has passed does not say that nothing was done; a key makes asking again safe. */
export const scenario = defineScenario({
  name: 'idempotency',
  claim: {
    says: 'DEADLINE_EXCEEDED does not say that nothing was done: who asks again is charged twice, unless both attempts bear the same key',
    by: 'google.rpc.Code (DEADLINE_EXCEEDED); AIP-155 (request identification)',
  },
  describe: {
    question: 'The deadline has passed and the caller asks again: how often is the money charged?',
    method:
      'PlaceOrder goes from storefront to orders to payments, which takes longer than the deadline allows. Orders calls payments ' +
      'without the deadline, as a service does that does not hand it on, so the charge is made after the caller has given up. The ' +
      'caller waits until that has happened and places the order again: in one arm by the same order id, which is the key of its ' +
      'charge, in the control by a new one. The ledger is asked before and after.',
    reading:
      '“Charges per order” is what the ledger holds for each order that a customer wanted: 1 is right. “Done all the same” is the ' +
      'share of the calls that ended with DEADLINE_EXCEEDED and were charged.',
    limits: [
      'How rare it is: where deadlines are handed on, only a write that is under way at the last moment outlives its caller.',
      'Attempts that race each other, or a process that dies between write and answer.',
      'Keys that are forgotten after a time: this ledger keeps them for ever.',
    ],
  },
  parameters,
  figures: {
    charged: { title: 'Charges per order', unit: '' },
    twice: { title: 'Orders charged twice', unit: 'share' },
    expired: { title: 'First attempt: DEADLINE_EXCEEDED', unit: 'share' },
    done: { title: 'Done all the same', unit: 'share' },
    answered: { title: 'Second attempt: OK', unit: 'share' },
    same: { title: 'Second answer has the first charge', unit: 'share' },
  },
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
