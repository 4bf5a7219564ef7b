import { deadlineIn } from '../../../kit/deadline.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, inEvery, observe } from '../../checks.ts';
import { loadInTurn } from '../../load-in-turn.ts';
import { median, percent } from '../../measure/statistics.ts';
import { orderSet, storeOrders } from '../../order-batches.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { shownNumber } from '../../verdict.ts';
import { description } from './description.ts';
import { figures, figuresOf } from './figures.ts';
import { readSlowly } from './slow-reader.ts';

/** A reader who takes one item at a time holds at most this share of them; one who takes what comes, at least that one. */
const MOST_HELD = 0.05;
const LEAST_QUEUED = 0.25;
/** And the live heap of the first is at most this share of the second's. */
const MOST_HEAP = 0.5;
/** When the server has written its last item, a reader who takes one at a time has still to take this share of them, at most. */
const MOST_AHEAD = 0.6;
/** How long a stream may take, in milliseconds. */
const STREAM_MS = 30_000;
/** The lines of an order: the most that one may have. */
const LINES = 200;
/** Nothing else places orders for users from this one on. */
const FIRST_USER = 2_000_000;

const parameters = {
  ...loadParameters({ rate: 1, seconds: 2, repetitions: 3 }),
  rate: integer({ title: 'Streams begun per second, never two at a time', unit: 'streams/s', default: 1, min: 1, max: 4 }),
  items: integer({ title: 'Items of a stream', unit: '', default: 300, min: 50, max: 500 }),
  padding: integer({ title: 'What is added to each item on the wire', unit: 'KiB', default: 512, min: 0, max: 512 }),
  work: integer({ title: 'How long the reader works on an item', unit: 'ms', default: 20, min: 1, max: 50 }),
};

const arm = armBy(async (bench: Bench<typeof parameters>, eager: boolean) => {
  const { items, padding, work } = bench.parameters;
  const set = orderSet('flow-control', FIRST_USER, items, LINES);
  await storeOrders(bench.mesh, set, bench.signal);
  const step = { service: 'orders', method: 'ListOrders', padBytes: 1024 * padding };
  const turns = await loadInTurn(bench, ['ListOrders'], ({ signal, metadata }) => {
    const options = { deadline: deadlineIn(STREAM_MS), signal, metadata: metadata([step]) };
    const stream = bench.mesh.orders.listOrders({ userId: set.userId, limit: items }, options);
    return readSlowly(stream, { expected: items, workMs: work, eager, signal, keep: ({ order }) => order?.orderId ?? '' });
  });
  return figuresOf(turns, set.ids.toReversed(), step.padBytes);
});

/** What becomes of a stream whose reader is slower than its server. */
export const scenario = defineScenario({
  name: 'flow-control',
  claim: {
    says: 'A slow reader of a stream holds only what it works on, and its server waits for it',
    by: 'gRPC documentation, guides/flow-control',
  },
  describe: description,
  parameters,
  // many items, as grpc-js itself holds 16; on a busy machine they come no faster than every 10 ms
  quick: { local: { rate: 1, items: 200, padding: 256 } },
  figures,
  arms: [arm('paced', 'a slow reader that takes one item at a time', false)],
  controls: [arm('eager', 'a slow reader that queues what comes', true)],
  headline: { figure: 'held', arm: 'paced', control: 'eager' },
  checks: [
    {
      says: 'Every item comes in every arm, each in its place',
      test: arms => observe`${all(inEvery(arms, 'right'))}`,
    },
    {
      says: `A slow reader holds at most ${percent(MOST_HELD)} of the items; one that queues them, ${percent(LEAST_QUEUED)} at least`,
      test: ({ paced, eager }) => observe`${atMost(MOST_HELD, paced.held)} and ${atLeast(LEAST_QUEUED, eager.held)}`,
    },
    {
      says: `The first one’s live heap has grown, half way, by at most ${percent(MOST_HEAP)} of what the other’s has`,
      test: ({ paced, eager }) => {
        const other = median(eager.heap);
        return observe`${atMost(MOST_HEAP * other, median(paced.heap), shownNumber)} MB of ${shownNumber(other)} MB`;
      },
    },
    {
      says: `The first one holds the server back: when all is written, ${percent(MOST_AHEAD)} of the items are still to be read, at most`,
      test: ({ paced }) => observe`${atMost(MOST_AHEAD, median(paced.ahead))}, ${shownNumber(median(paced.aheadMb))} MB`,
    },
  ],
});
