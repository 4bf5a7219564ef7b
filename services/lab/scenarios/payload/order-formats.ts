import { gunzipSync, gzipSync } from 'node:zlib';
import { CreateOrderRequest } from '../../../../proto/gen/telltale/orders/v1/orders.ts';
import { seededRandom } from '../../measure/arrivals.ts';

/** An order as a service without Protocol Buffers has it: every number is one that JSON can write. */
export interface PlainOrder {
  readonly order_id: string;
  readonly user_id: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly unit_price_minor: number }[];
  readonly currency_code: string;
}

/** How an order becomes bytes, and comes back. */
export interface OrderFormat {
  readonly name: 'json' | 'protobuf';
  readonly gzip: boolean;
  /** Makes the encoder of one order; what an application would have in memory anyway is made here, and not at each encoding. */
  encoder(order: CreateOrderRequest): () => Uint8Array;
  /** The order that the bytes hold, in whatever form an application of this format works with. */
  decode(bytes: Uint8Array): PlainOrder | CreateOrderRequest;
}

const ARTICLES = ['sail', 'mast', 'rope', 'anchor', 'compass', 'winch', 'rudder', 'lantern'];

/** An order with so many lines, whose articles, quantities and prices are drawn by the seed. */
export function drawnOrder(orderId: string, userId: number, lines: number, seed: number): CreateOrderRequest {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const line = () => ({
    sku: `${ARTICLES[below(ARTICLES.length)]}-${String(below(10_000)).padStart(4, '0')}`,
    quantity: 1 + below(9),
    unitPriceMinor: BigInt(100 + below(100_000)),
  });
  return { orderId, userId, lines: Array.from({ length: lines }, line), currencyCode: 'EUR' };
}

/** The same order in plain form. */
export function plainOf({ orderId, userId, lines, currencyCode }: CreateOrderRequest): PlainOrder {
  return {
    order_id: orderId,
    user_id: userId,
    lines: lines.map(line => ({ sku: line.sku, quantity: line.quantity, unit_price_minor: Number(line.unitPriceMinor) })),
    currency_code: currencyCode,
  };
}

/** JSON as V8 writes and reads it, or Protocol Buffers as the services of this mesh do; gzip at its default level. */
export function orderFormat(name: OrderFormat['name'], gzip: boolean): OrderFormat {
  const zipped = (encode: () => Uint8Array) => (gzip ? () => gzipSync(encode()) : encode);
  const unzipped = (bytes: Uint8Array) => (gzip ? gunzipSync(bytes) : bytes);
  if (name === 'protobuf') {
    return {
      name,
      gzip,
      encoder: order => zipped(() => CreateOrderRequest.encode(order).finish()),
      decode: bytes => CreateOrderRequest.decode(unzipped(bytes)),
    };
  }
  return {
    name,
    gzip,
    encoder: order => {
      const plain = plainOf(order);
      return zipped(() => Buffer.from(JSON.stringify(plain)));
    },
    decode: bytes => JSON.parse(Buffer.from(unzipped(bytes)).toString()) as PlainOrder,
  };
}

/** How long one round of {@link codecUs} lasts, in milliseconds, and how many there are. */
const ROUND_MS = 2;
const ROUNDS = 10;

/**
 * What encoding an order and decoding it again takes, in microseconds: the least of some short rounds of many, as whatever else the
 * machine does, and what is not compiled yet, makes a round only longer.
 */
export function codecUs(format: OrderFormat, order: CreateOrderRequest): number {
  const encode = format.encoder(order);
  const round = () => {
    const begun = performance.now();
    for (let times = 1; ; times++) {
      format.decode(encode());
      const ms = performance.now() - begun;
      if (ms >= ROUND_MS) return (1000 * ms) / times;
    }
  };
  return Math.min(...Array.from({ length: ROUNDS }, round));
}
