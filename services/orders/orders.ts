import { status } from '@grpc/grpc-js';
import { type Order, type OrderServiceService, OrderState } from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import type { Client } from '../kit/client.ts';
import type { CallContext, Handlers } from '../kit/handler.ts';
import { pause } from '../kit/pause.ts';
import { hasCode, RpcError } from '../kit/rpc-error.ts';
import { required, violationsIn } from '../kit/validate.ts';
import type { OrderStore, Settlement } from './order-store.ts';

/** How often WatchOrder looks for a change, in milliseconds. */
export const WATCH_INTERVAL_MS = 200;

const DEFAULT_LIMIT = 100;

/** The reasons for which payments refuse a charge for good: asking again would change nothing. */
const REFUSALS = ['LIMIT_EXCEEDED', 'KEY_REUSED'];

/** What {@link orders} needs. */
export interface OrdersDependencies {
  readonly store: OrderStore;
  readonly payments: Client<typeof PaymentServiceService>;
}

/** Answers OrderService from a store, and has orders paid for by payments. */
export function orders({ store, payments }: OrdersDependencies): Handlers<typeof OrderServiceService> {
  async function found(orderId: string, signal: AbortSignal): Promise<Order> {
    const order = await store.find(orderId, signal);
    if (order) return order;
    throw new RpcError(status.NOT_FOUND, 'no order has this id', { reason: 'ORDER_NOT_FOUND' });
  }

  /** Asks for the charge with the order's id as its key: however often it is asked for, the order is paid for once. */
  async function charge(order: Order, context: CallContext): Promise<Settlement> {
    const { orderId, totalMinor: amountMinor, currencyCode } = order;
    if (amountMinor === 0n) return { state: OrderState.PAID, chargeId: '' };
    try {
      const request = { idempotencyKey: orderId, orderId, amountMinor, currencyCode };
      const { charge } = await payments.charge(request, { context });
      if (!charge) throw new TypeError('payments answered without a charge');
      return { state: OrderState.PAID, chargeId: charge.chargeId };
    } catch (error) {
      if (error instanceof RpcError && REFUSALS.includes(error.reason)) return { state: OrderState.REFUSED };
      throw error;
    }
  }

  return {
    async createOrder(request, context) {
      const { order } = await store.add(request, context.signal);
      if (order.state !== OrderState.PENDING) return { order };
      const settlement = await charge(order, context);
      return { order: await store.settle(order.orderId, settlement, context.signal) };
    },

    async getOrder({ orderId }, { signal }) {
      return { order: await found(orderId, signal) };
    },

    async *listOrders({ userId, limit }, { signal }) {
      for await (const order of store.list(userId, limit || DEFAULT_LIMIT, signal)) yield { order };
    },

    async *watchOrder({ orderId }, { signal }) {
      for (let seen: OrderState = OrderState.UNSPECIFIED; ; await pause(WATCH_INTERVAL_MS, signal)) {
        const order = await found(orderId, signal);
        if (order.state !== seen) yield { order };
        seen = order.state;
        if (seen !== OrderState.PENDING) return;
      }
    },

    async importOrders(requests, { signal }) {
      const counts = { storedCount: 0, duplicateCount: 0 };
      for await (const { order } of requests) {
        const index = counts.storedCount + counts.duplicateCount;
        const { added } = await store.add(required(order), signal).catch(error => {
          throw hasCode(error, status.ALREADY_EXISTS) ? at(`[${index}].order.`, error) : error;
        });
        counts[added ? 'storedCount' : 'duplicateCount']++;
      }
      return counts;
    },

    async *lookupOrders(requests, { signal }) {
      for await (const { orderId } of requests) {
        yield { orderId, order: canBeId(orderId) ? await store.find(orderId, signal) : undefined };
      }
    },
  };
}

/** Whether an order can have this id: one that GetOrder would be asked for. */
function canBeId(orderId: string): boolean {
  return violationsIn('telltale.orders.v1.GetOrderRequest', { orderId }).length === 0;
}

function at(path: string, error: RpcError): RpcError {
  return new RpcError(error.code, path + error.message, { reason: error.reason, cause: error });
}
