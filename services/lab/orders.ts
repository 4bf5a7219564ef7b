import type { CreateOrderRequest } from '../../proto/gen/telltale/orders/v1/orders.ts';

/** The user who places the orders of scenarios. */
const USER_ID = 7;

/** A small order by this id, for scenarios that place one. */
export function orderOf(orderId: string): CreateOrderRequest {
  return { orderId, userId: USER_ID, lines: [{ sku: 'sail', quantity: 1, unitPriceMinor: 100n }], currencyCode: 'EUR' };
}

/** The methods that PlaceOrder goes through to payments, each of which waits for the next. */
export const CHAIN = ['PlaceOrder', 'CreateOrder', 'Charge'] as const;
