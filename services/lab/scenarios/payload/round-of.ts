import { isDeepStrictEqual } from 'node:util';
import type { CreateOrderRequest } from '../../../../proto/gen/telltale/orders/v1/orders.ts';
import type { Carrier } from './carriers.ts';
import type { Round } from './figures.ts';
import { codecUs, type OrderFormat, plainOf } from './order-formats.ts';

/** Sends each order so often, and takes the time of its codec. */
export async function roundOf(
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
