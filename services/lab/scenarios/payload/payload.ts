import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { CreateOrderRequest } from '../../../../proto/gen/telltale/orders/v1/orders.ts';
import { deadlineIn } from '../../../kit/deadline.ts';
import { all, atLeast, atMost, type Compared, decimals, observe, ratio } from '../../checks.ts';
import { loadInTurn, type Turn } from '../../load-in-turn.ts';
import { median, percent, sum } from '../../measure/statistics.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { type Arm, defineScenario, type Measured } from '../../scenario.ts';
import { type Carrier, openCarrier } from './carriers.ts';
import { codecUs, drawnOrder, type OrderFormat, orderFormat, plainOf } from './order-formats.ts';

/** The orders that are sent, by their lines. */
const SIZES = [1, 20, 200] as const;
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

type Size = (typeof SIZES)[number];
type Figure = `bytes${Size}` | `codec${Size}` | 'same';
type Format = OrderFormat['name'];
type ArmName = Format | `${Format}-gzip`;

/** What one round has given: figures of each size, and the share of the orders that arrived as they were sent. */
export type Round = Record<Figure, number>;

const arm = <const Name extends ArmName>(
  name: Name,
  title: string,
  format: OrderFormat,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run(bench) {
    const { samples, seed } = bench.parameters;
    await using carrier = await openCarrier(format);
    for (const size of SIZES) await carrier.send(drawnOrder(randomUUID(), USER_ID, size, seed)); // the connection's first are longer
    const turns = await loadInTurn(bench, ['ImportOrders'], async ({ signal, metadata }) => {
      const orders = SIZES.map(size => drawnOrder(randomUUID(), USER_ID, size, seed));
      const limits = { deadline: deadlineIn(STORE_MS), signal, metadata: metadata() };
      await bench.mesh.orders.importOrders(
        orders.map(order => ({ order })),
        limits,
      );
      return roundOf(carrier, format, orders, samples);
    });
    return figuresOf(turns);
  },
});

/** Sends each order so often, and takes the time of its codec. */
async function roundOf(
  carrier: Carrier,
  format: OrderFormat,
  orders: readonly CreateOrderRequest[],
  samples: number,
): Promise<Round> {
  const figures: Record<string, number> = {};
  let same = 0;
  for (const order of orders) {
    const plain = plainOf(order);
    const before = carrier.bytes();
    for (let n = 0; n < samples; n++) {
      const arrived = await carrier.send(order);
      if (isDeepStrictEqual('order_id' in arrived ? arrived : plainOf(arrived), plain)) same++;
    }
    figures[`bytes${order.lines.length}`] = (carrier.bytes() - before) / samples;
    figures[`codec${order.lines.length}`] = codecUs(format, order);
  }
  return { ...(figures as Round), same: same / (orders.length * samples) };
}

/** The figures of one repetition. */
export function figuresOf(turns: readonly Turn<Round>[]): Record<Figure, number> {
  const of = (figure: Figure) => median(turns.flatMap(({ outcome }) => outcome?.[figure] ?? []));
  return {
    bytes1: of('bytes1'),
    bytes20: of('bytes20'),
    bytes200: of('bytes200'),
    codec1: of('codec1'),
    codec20: of('codec20'),
    codec200: of('codec200'),
    same: sum(turns.map(({ outcome }) => outcome?.same ?? 0)) / turns.length,
  };
}

type Orders = Measured<ArmName, Figure>;

/** The bytes of an order of this size in one arm, as a share of those in another. */
const bytesOf = (measured: Orders, size: Size, one: ArmName, other: ArmName) =>
  ratio(measured[one][`bytes${size}`], measured[other][`bytes${size}`]);

const ofEachSize = (compare: (size: Size) => Compared) => observe`${compare(1)}, ${compare(20)}, ${compare(200)}`;

/** A smaller message, and how much of that compression gives to JSON, too. */
export const scenario = defineScenario({
  name: 'payload',
  claim: {
    says: 'Protocol Buffers send fewer bytes than JSON',
    by: 'Protocol Buffers documentation, overview; the design guide that this mesh comes from ("reduces message size")',
  },
  describe: {
    question: 'How many bytes does an order take on the wire, and how much of the difference is left once both are compressed?',
    method:
      'Orders of 1, 20 and 200 lines are stored at orders, by ImportOrders, and then sent over a connection of their own on loopback: ' +
      'as JSON in the body of an HTTP/1.1 POST and as the request of a gRPC call, each plain and with gzip. The sockets of a relay ' +
      'count all bytes of both directions, headers, frames and the short answer included; the connection itself is set up before. ' +
      'The time of the codec is that of encoding and decoding alone, with gzip where it is used.',
    reading:
      'Of a small order most bytes are headers, which HPACK keeps short on a connection that is used again; of a large one most are ' +
      'lines, whose names JSON repeats and gzip takes out again. So gzip gains far more for JSON than for Protocol Buffers: compare ' +
      'JSON with gzip with plain Protocol Buffers before one is chosen for its size. Gzip is paid for with CPU: several times ' +
      'what either codec takes.',
    limits: [
      'Which is faster by the call: for small unary calls in Node REST is several times faster than gRPC, whatever their bytes.',
      'Answers with gzip: grpc-js compresses what a client sends, and its server compresses nothing.',
      'Texts without structure, pictures, and numbers alone: those compress, and are encoded, otherwise.',
      'TLS, TCP and IP, which add to both; JSON over HTTP/2, whose headers would be as short as those of gRPC.',
    ],
  },
  parameters,
  figures: {
    bytes1: { title: 'On the wire, 1 line', unit: 'B' },
    bytes20: { title: 'On the wire, 20 lines', unit: 'B' },
    bytes200: { title: 'On the wire, 200 lines', unit: 'B' },
    codec1: { title: 'Encoded and decoded, 1 line', unit: 'µs' },
    codec20: { title: 'Encoded and decoded, 20 lines', unit: 'µs' },
    codec200: { title: 'Encoded and decoded, 200 lines', unit: 'µs' },
    same: { title: 'Orders that arrived as they were sent', unit: 'share' },
  },
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
      test: measured => observe`${all(...Object.values(measured).map(({ same }) => same))}`,
    },
  ],
  depends: measured => {
    const [zipped, plain] = [median(measured['json-gzip'].bytes200), median(measured.protobuf.bytes200)];
    if (!(zipped < plain)) return undefined;
    const left = bytesOf(measured, 200, 'protobuf-gzip', 'json-gzip');
    return `on compression, as 200 lines of JSON with gzip take ${zipped.toFixed(0)} B and of plain Protocol Buffers ${plain.toFixed(0)} B; with gzip on both sides it is ${percent(left)} of JSON`;
  },
});
