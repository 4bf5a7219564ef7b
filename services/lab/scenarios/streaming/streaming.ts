import { deadlineIn } from '../../../kit/deadline.ts';
import type { CallToMake } from '../../bench.ts';
import { hopsOf } from '../../call-picture.ts';
import { all, atLeast, atMost, observe, ratio } from '../../checks.ts';
import { loadInTurn, type Turn } from '../../load-in-turn.ts';
import { median, percent, sum } from '../../measure/statistics.ts';
import { type Fetch, fetchByBidi, fetchByServerStream, fetchByUnary, orderSet, storeOrders } from '../../order-batches.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { type Arm, defineScenario } from '../../scenario.ts';
import { shownNumber } from '../../verdict.ts';
import { type FetchedBatch, fetchBatch, rightShare } from './fetch-batch.ts';
import { readSlowly, type SlowRead } from './slow-reader.ts';

/** A stream gives at least so many times the items per second that unary calls do. */
const LEAST_GAIN = 1.5;
/**
 * And takes at most this share of their CPU time per item: of the caller; and of orders, which looks each item up either way, so
 * that what its database takes is no gain. With SQLite, 7 µs for a look-up, it is 26 to 36 %; with PostgreSQL, 60 µs, 44 to 53.
 */
const MOST_CPU = 0.5;
const MOST_CALLEE_CPU = 0.6;
/** A reader who takes one item at a time holds at most this share of them; one who takes what comes, at least that one. */
const MOST_HELD = 0.05;
const LEAST_QUEUED = 0.25;
/** And the live heap of the first is at most this share of the second's. */
const MOST_HEAP = 0.5;
/** When the server has written its last item, a reader who takes one at a time has still to take this share of them, at most. */
const MOST_AHEAD = 0.6;
/** How long a batch may take, in milliseconds. */
const BATCH_MS = 30_000;
/** The lines of an order that is read slowly: the most that one may have. */
const WIDE_LINES = 200;
/** Users whom nothing else places orders for; the sets' sizes are added. */
const [NARROW_USER, WIDE_USER] = [1_000_000, 2_000_000];

const parameters = {
  ...loadParameters({ rate: 1, seconds: 2, repetitions: 3 }),
  rate: integer({ title: 'Batches begun per second, never two at a time', unit: 'batches/s', default: 1, min: 1, max: 4 }),
  items: integer({ title: 'Items of a batch', unit: '', default: 500, min: 50, max: 5000 }),
  inFlight: integer({ title: 'Unary calls at the same time', unit: '', default: 64, min: 1, max: 100 }),
  wide: integer({ title: 'Items of a batch that is read slowly', unit: '', default: 300, min: 50, max: 500 }),
  padding: integer({ title: 'What is added to each of these on the wire', unit: 'KiB', default: 512, min: 0, max: 512 }),
  work: integer({ title: 'How long a slow reader works on an item', unit: 'ms', default: 20, min: 1, max: 50 }),
};

type Figure = 'itemsPerSecond' | 'labCpu' | 'ordersCpu' | 'right' | 'held' | 'heap' | 'ahead' | 'aheadMb';

const optionsOf =
  ({ signal, metadata }: CallToMake) =>
  (marked: boolean) => ({ deadline: deadlineIn(BATCH_MS), signal, ...(marked && { metadata: metadata() }) });

const fetchArm = <const Name extends string>(
  name: Name,
  title: string,
  hop: string,
  fetch: Fetch,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run(bench) {
    const { items, inFlight } = bench.parameters;
    const set = orderSet('streaming', NARROW_USER, items, 1);
    await storeOrders(bench.mesh, set, bench.signal);
    const batch = (call: CallToMake) => fetchBatch(bench, set, fetch, { inFlight, options: optionsOf(call) });
    return fetchFigures(await loadInTurn(bench, [hop], batch));
  },
});

const slowArm = <const Name extends string>(
  name: Name,
  title: string,
  eager: boolean,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run(bench) {
    const { wide, padding, work } = bench.parameters;
    const set = orderSet('streaming-wide', WIDE_USER, wide, WIDE_LINES);
    await storeOrders(bench.mesh, set, bench.signal);
    const step = { service: 'orders', method: 'ListOrders', padBytes: 1024 * padding };
    const turns = await loadInTurn(bench, ['ListOrders'], call => {
      const options = { ...optionsOf(call)(false), metadata: call.metadata([step]) };
      const stream = bench.mesh.orders.listOrders({ userId: set.userId, limit: wide }, options);
      const keep = ({ order }: { order?: { orderId: string } | undefined }) => order?.orderId ?? '';
      return readSlowly(stream, { expected: wide, workMs: work, eager, signal: call.signal, keep });
    });
    return slowFigures(turns, set.ids.toReversed(), 1024 * padding);
  },
});

/** The figures of one repetition of an arm that fetches. */
export function fetchFigures(turns: readonly Turn<FetchedBatch>[]): Record<Figure, number> {
  const of = (figure: keyof FetchedBatch) => median(turns.flatMap(({ outcome }) => outcome?.[figure] ?? []));
  const [itemsPerSecond, labCpu, ordersCpu] = [of('itemsPerSecond'), of('labCpu'), of('ordersCpu')];
  const right = sum(turns.map(({ outcome }) => outcome?.right ?? 0)) / turns.length;
  const slow = { held: Number.NaN, heap: Number.NaN, ahead: Number.NaN, aheadMb: Number.NaN };
  return { itemsPerSecond, labCpu, ordersCpu, right, ...slow };
}

/** The figures of one repetition of an arm that reads these items slowly, each of which has so many bytes at least. */
export function slowFigures(
  turns: readonly Turn<SlowRead<string>>[],
  expected: readonly string[],
  itemBytes: number,
): Record<Figure, number> {
  const reads = turns.flatMap(({ outcome }) => outcome ?? []);
  const right = sum(turns.map(({ outcome }) => rightShare(expected, outcome?.items ?? []))) / turns.length;
  const ahead = turns.map(({ picture, outcome }) => {
    const stoppedAt = hopsOf(picture, 'ListOrders')[0]?.stoppedAt ?? Number.NaN;
    return (outcome?.takenAt ?? []).filter(at => at > stoppedAt).length / expected.length;
  });
  return {
    itemsPerSecond: Number.NaN,
    labCpu: Number.NaN,
    ordersCpu: Number.NaN,
    right,
    held: Math.max(...reads.map(({ heldMost }) => heldMost)) / expected.length,
    heap: median(reads.map(({ heapBytes }) => heapBytes / 1e6)),
    ahead: median(ahead),
    aheadMb: (median(ahead) * expected.length * itemBytes) / 1e6,
  };
}

/** Many items as many calls, as one stream of answers, and as a stream of both; and what becomes of a stream that is read slowly. */
export const scenario = defineScenario({
  name: 'streaming',
  claim: {
    says: 'A stream carries many items for a fraction of what as many calls cost, and a slow reader holds only what it works on',
    by: 'gRPC documentation, guides/performance ("Use streaming RPCs") and guides/flow-control',
  },
  describe: {
    question: 'What do many items cost as calls and as a stream, and who holds them when their reader is slow?',
    method:
      'The same orders are fetched by GetOrder, one call for each and some at the same time, by one ListOrders, and by one ' +
      'LookupOrders with an id for each. Then a long ListOrders of large orders is read slowly: item by item, and, as the control, ' +
      'by a reader that takes what comes into a queue.',
    reading:
      'Items per second and CPU per item are of batches that run alone; ListOrders also asks the database for a page at a time, ' +
      'LookupOrders for each item as GetOrder does, so LookupOrders is the fair one to compare. A stream has its price: one deadline ' +
      'and one status for all items, answers matched to requests by their order, no retry of a single item, and one pod that ' +
      'serves all of it. Of the slow readers: how many items the reader itself held at most, how much larger its live heap was half ' +
      'way, in which are the 16 messages that grpc-js takes ahead of any reader, and how much was still on its way when the server ' +
      'had written the last item. So far the server can be ahead, and no further: that much is in the buffers and the flow-control ' +
      'windows of the connections and of two proxies. The stream is longer, so its server had to wait for the reader; one of a tenth ' +
      'of its length would have been written to its end at once.',
    limits: [
      'REST: for small unary calls in Node HTTP/1.1 is several times faster than gRPC, so the gain of a stream over REST is far smaller than its gain over unary gRPC.',
      'Streams that stay open for hours, and items that trickle: latency, keepalive and draining.',
      'The CPU of the proxies, which is saved with the calls, too.',
    ],
  },
  parameters,
  figures: {
    itemsPerSecond: { title: 'Items per second', unit: '' },
    labCpu: { title: 'CPU of the caller per item', unit: 'µs' },
    ordersCpu: { title: 'CPU of orders per item', unit: 'µs' },
    right: { title: 'Items that came, each in its place', unit: 'share' },
    held: { title: 'Slow reader held at most', unit: 'share' },
    heap: { title: 'Live heap half way, more than before', unit: 'MB' },
    ahead: { title: 'Still to be read when the server was done', unit: 'share' },
    aheadMb: { title: 'The same, at least', unit: 'MB' },
  },
  arms: [
    fetchArm('server-stream', 'one ListOrders', 'ListOrders', fetchByServerStream),
    fetchArm('bidi', 'one LookupOrders, an id for each item', 'LookupOrders', fetchByBidi),
    slowArm('paced', 'a slow reader that takes one item at a time', false),
  ],
  controls: [
    fetchArm('unary', 'a GetOrder for each item', 'GetOrder', fetchByUnary),
    slowArm('eager', 'a slow reader that queues what comes', true),
  ],
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
      test: measured => observe`${all(...Object.values(measured).map(({ right }) => right))}`,
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
