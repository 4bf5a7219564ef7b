import { deadlineIn } from '../../../kit/deadline.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, inEvery, observe, ratio } from '../../checks.ts';
import { loadInTurn } from '../../load-in-turn.ts';
import { percent } from '../../measure/statistics.ts';
import { type Fetch, fetchByBidi, fetchByServerStream, fetchByUnary, orderSet, storeOrders } from '../../order-batches.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { shownNumber } from '../../verdict.ts';
import { description } from './description.ts';
import { fetchBatch } from './fetch-batch.ts';
import { figures, figuresOf } from './figures.ts';

/** A stream gives at least so many times the items per second that unary calls do. */
const LEAST_GAIN = 1.5;
/**
 * And takes at most this share of their CPU time per item: of the caller; and of orders, which looks each item up either way, so
 * that what its database takes is no gain. With SQLite, 7 µs for a look-up, it is 26 to 36 %; with PostgreSQL, 60 µs, 44 to 53.
 */
const MOST_CPU = 0.5;
const MOST_CALLEE_CPU = 0.6;
/** How long a batch may take, in milliseconds. */
const BATCH_MS = 30_000;
/** Nothing else places orders for users from this one on. */
const FIRST_USER = 1_000_000;

const parameters = {
  ...loadParameters({ rate: 1, seconds: 2, repetitions: 3 }),
  rate: integer({ title: 'Batches begun per second, never two at a time', unit: 'batches/s', default: 1, min: 1, max: 4 }),
  items: integer({ title: 'Items of a batch', unit: '', default: 500, min: 50, max: 5000 }),
  inFlight: integer({ title: 'Unary calls at the same time', unit: '', default: 64, min: 1, max: 100 }),
};

/** The method that fetches a batch, and how. */
interface Way {
  readonly hop: string;
  readonly fetch: Fetch;
}

const arm = armBy(async (bench: Bench<typeof parameters>, { hop, fetch }: Way) => {
  const { items, inFlight } = bench.parameters;
  const set = orderSet('streaming', FIRST_USER, items, 1);
  await storeOrders(bench.mesh, set, bench.signal);
  const turns = await loadInTurn(bench, [hop], ({ signal, metadata }) => {
    const limits = () => ({ deadline: deadlineIn(BATCH_MS), signal });
    const options = (marked: boolean) => ({ ...limits(), ...(marked && { metadata: metadata() }) });
    return fetchBatch(bench, set, fetch, { inFlight, options });
  });
  return figuresOf(turns);
});

/** Many items as many calls, as one stream of answers, and as a stream of both requests and answers. */
export const scenario = defineScenario({
  name: 'streaming',
  claim: {
    says: 'A stream carries many items for a fraction of what as many calls cost',
    by: 'gRPC documentation, guides/performance ("Use streaming RPCs")',
  },
  describe: description,
  parameters,
  // the first repetition is of code that has not been compiled yet
  quick: { local: { rate: 1, repetitions: 3 } },
  figures,
  arms: [
    arm('server-stream', 'one ListOrders', { hop: 'ListOrders', fetch: fetchByServerStream }),
    arm('bidi', 'one LookupOrders, an id for each item', { hop: 'LookupOrders', fetch: fetchByBidi }),
  ],
  controls: [arm('unary', 'a GetOrder for each item', { hop: 'GetOrder', fetch: fetchByUnary })],
  headline: { figure: 'labCpu', arm: 'bidi', control: 'unary' },
  checks: [
    {
      says: `Either stream gives at least ${LEAST_GAIN} times the items per second of unary calls`,
      test: ({ unary, bidi, 'server-stream': serverStream }) => {
        const gain = ({ itemsPerSecond }: typeof bidi) =>
          atLeast(LEAST_GAIN, ratio(itemsPerSecond, unary.itemsPerSecond), shownNumber);
        return observe`${gain(bidi)} and ${gain(serverStream)}`;
      },
    },
    {
      says: `An item of either stream takes at most ${percent(MOST_CPU)} of the CPU of a unary call of the caller, and ${percent(MOST_CALLEE_CPU)} of orders`,
      test: ({ unary, bidi, 'server-stream': serverStream }) => {
        const caller = ({ labCpu }: typeof bidi) => atMost(MOST_CPU, ratio(labCpu, unary.labCpu));
        const callee = ({ ordersCpu }: typeof bidi) => atMost(MOST_CALLEE_CPU, ratio(ordersCpu, unary.ordersCpu));
        return observe`${caller(bidi)} and ${caller(serverStream)}; ${callee(bidi)} and ${callee(serverStream)}`;
      },
    },
    {
      says: 'Every item comes in every arm, each in its place',
      test: arms => observe`${all(inEvery(arms, 'right'))}`,
    },
  ],
});
