import { randomUUID } from 'node:crypto';
import { deadlineIn } from '../../../kit/deadline.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, type Compared, decimals, inEvery, observe, ratio } from '../../checks.ts';
import { loadInTurn } from '../../load-in-turn.ts';
import { median, percent } from '../../measure/statistics.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { armBy, defineScenario, type Measured } from '../../scenario.ts';
import { openCarrier } from './carriers.ts';
import { description } from './description.ts';
import { type FigureName, figures, figuresOf, SIZES, type Size } from './figures.ts';
import { drawnOrder, type OrderFormat, orderFormat } from './order-formats.ts';
import { roundOf } from './round-of.ts';

/** Protocol Buffers take at most this share of JSON's bytes, both plain; and, less impressive, with gzip on both sides. */
const MOST_PLAIN = 0.75;
const MOST_ZIPPED = 0.95;
/** What gzip saves of 200 lines at least, and of one line at most. */
const LEAST_SAVED = 0.1;
const MOST_SAVED = 0.05;
/** And how many times the codec time it costs at least. */
const LEAST_COST = 1.2;
/** How long orders may take to store an order, in milliseconds. */
const STORE_MS = 5000;
/** Whose orders are sent. */
const USER_ID = 8;

const parameters = {
  ...loadParameters({ rate: 2, seconds: 3, repetitions: 3 }),
  rate: integer({ title: 'Rounds begun per second, one at a time', unit: 'rounds/s', default: 2, min: 1, max: 10 }),
  samples: integer({ title: 'How often a round sends an order of each size', unit: '', default: 10, min: 1, max: 100 }),
};

const arm = armBy(async (bench: Bench<typeof parameters>, format: OrderFormat) => {
  const { samples, seed } = bench.parameters;
  const order = (size: Size) => drawnOrder(randomUUID(), USER_ID, size, seed);
  await using carrier = await openCarrier(format);
  for (const size of SIZES) await carrier.send(order(size)); // the connection's first are longer
  const turns = await loadInTurn(bench, ['ImportOrders'], async ({ signal, metadata }) => {
    const orders = SIZES.map(order);
    const requests = orders.map(each => ({ order: each }));
    await bench.mesh.orders.importOrders(requests, { deadline: deadlineIn(STORE_MS), signal, metadata: metadata() });
    return roundOf(carrier, format, orders, samples);
  });
  return figuresOf(turns);
});

type Format = OrderFormat['name'];
type ArmName = Format | `${Format}-gzip`;

/** The bytes of an order of this size in one arm, as a share of those in another. */
const bytesOf = (measured: Measured<ArmName, FigureName>, size: Size, one: ArmName, other: ArmName) =>
  ratio(measured[one][`bytes${size}`], measured[other][`bytes${size}`]);

const ofEachSize = (compare: (size: Size) => Compared) => observe`${compare(1)}, ${compare(20)}, ${compare(200)}`;

/** A smaller message, and how much of that compression gives to JSON, too. */
export const scenario = defineScenario({
  name: 'payload',
  claim: {
    says: 'Protocol Buffers send fewer bytes than JSON',
    by: 'Protocol Buffers documentation, overview; the design guide that this mesh comes from ("reduces message size")',
  },
  describe: description,
  parameters,
  quick: { local: { rate: 2 } },
  figures,
  arms: [
    arm('protobuf', 'Protocol Buffers by gRPC', orderFormat('protobuf', false)),
    arm('protobuf-gzip', 'the same with gzip', orderFormat('protobuf', true)),
  ],
  controls: [
    arm('json', 'JSON by HTTP/1.1', orderFormat('json', false)),
    arm('json-gzip', 'the same with gzip', orderFormat('json', true)),
  ],
  headline: { figure: 'bytes20', arm: 'protobuf', control: 'json' },
  checks: [
    {
      says: `Plain, Protocol Buffers take at most ${percent(MOST_PLAIN)} of the bytes of JSON, at each size`,
      test: measured => ofEachSize(size => atMost(MOST_PLAIN, bytesOf(measured, size, 'protobuf', 'json'))),
    },
    {
      says: `With gzip on both sides they take at most ${percent(MOST_ZIPPED)}, at each size`,
      test: measured => ofEachSize(size => atMost(MOST_ZIPPED, bytesOf(measured, size, 'protobuf-gzip', 'json-gzip'))),
    },
    {
      says: `Gzip saves ${percent(LEAST_SAVED)} of either format at least of 200 lines, and at most ${percent(MOST_SAVED)} of one`,
      test: measured => {
        const large = (of: Format) => atLeast(LEAST_SAVED, 1 - bytesOf(measured, 200, `${of}-gzip`, of));
        const small = (of: Format) => atMost(MOST_SAVED, 1 - bytesOf(measured, 1, `${of}-gzip`, of));
        return observe`${large('protobuf')} and ${large('json')}; ${small('protobuf')} and ${small('json')}`;
      },
    },
    {
      says: `Gzip is paid for: at least ${LEAST_COST} times the codec time of 200 lines, of either format`,
      test: measured => {
        const cost = (of: Format) => ratio(measured[`${of}-gzip`].codec200, measured[of].codec200);
        const [protobuf, json] = [
          atLeast(LEAST_COST, cost('protobuf'), decimals(1)),
          atLeast(LEAST_COST, cost('json'), decimals(1)),
        ];
        return observe`${protobuf} and ${json}`;
      },
    },
    {
      says: 'Every order arrives as it was sent, in every arm',
      test: measured => observe`${all(inEvery(measured, 'same'))}`,
    },
  ],
  depends: measured => {
    const [zipped, plain] = [median(measured['json-gzip'].bytes200), median(measured.protobuf.bytes200)];
    if (!(zipped < plain)) return undefined;
    const left = bytesOf(measured, 200, 'protobuf-gzip', 'json-gzip');
    return `on compression, as 200 lines of JSON with gzip take ${zipped.toFixed(0)} B and of plain Protocol Buffers ${plain.toFixed(0)} B; with gzip on both sides it is ${percent(left)} of JSON`;
  },
});
