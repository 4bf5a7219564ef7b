import { status } from '@grpc/grpc-js';
import type { OrderServiceService } from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { StorefrontServiceService } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import type { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import type { Client } from '../kit/client.ts';
import type { Handlers } from '../kit/handler.ts';
import { hasBrokenOff, hasCode, passOn } from '../kit/rpc-error.ts';
import { invalidRequest, required } from '../kit/validate.ts';

const DEFAULT_ORDER_LIMIT = 10;

/** What {@link storefront} needs. */
export interface StorefrontDependencies {
  readonly users: Client<typeof UserServiceService>;
  readonly orders: Client<typeof OrderServiceService>;
}

/** Answers StorefrontService by asking users and orders. */
export function storefront({ users, orders }: StorefrontDependencies): Handlers<typeof StorefrontServiceService> {
  return {
    async getProfile({ userId, orderLimit }, context) {
      const limit = orderLimit || DEFAULT_ORDER_LIMIT;
      const [user, answers] = await together(signal => [
        users.getUser({ id: userId }, { context, signal }),
        readWhole(() => orders.listOrders({ userId, limit }, { context, signal }), signal),
      ]).catch(explain);
      return { user, orders: answers.flatMap(({ order }) => order ?? []) };
    },

    async placeOrder(request, context) {
      const order = required(request.order);
      await users.getUser({ id: order.userId }, { context }).catch(explain);
      return await orders.createOrder(order, { context }).catch(error => explain(error, 'order.'));
    },

    async *watchOrder({ orderId }, context) {
      try {
        for await (const { order } of orders.watchOrder({ orderId }, { context })) yield { order };
      } catch (error) {
        explain(error);
      }
    },
  };
}

/** Waits for two calls; when one of them fails, the other is cancelled and has ended before the failure is thrown. */
async function together<First, Second>(start: (signal: AbortSignal) => [Promise<First>, Promise<Second>]) {
  const rest = new AbortController();
  const calls = start(rest.signal);
  try {
    return await Promise.all(calls);
  } catch (error) {
    rest.abort();
    await Promise.allSettled(calls);
    throw error;
  }
}

/**
 * Reads a list to its end, once more from its beginning when it breaks off half-way because the replica that sent it died.
 * The proxy repeats a call that has not begun to be answered; what to do with half an answer only its reader can know.
 */
async function readWhole<Message>(open: () => AsyncIterable<Message>, signal: AbortSignal): Promise<Message[]> {
  try {
    return await Array.fromAsync(open());
  } catch (error) {
    if (signal.aborted || !hasBrokenOff(error)) throw error;
    return await Array.fromAsync(open());
  }
}

/** The codes that say something of what our own caller asked for, and that storefront.proto therefore names. */
const ABOUT_THE_REQUEST = [status.NOT_FOUND, status.INVALID_ARGUMENT, status.ALREADY_EXISTS];

/**
 * Throws the error of a call as our caller shall see it: one about the request as our own, with `prefix` before the paths
 * of its fields; any other as it is, for the kit to decide.
 */
function explain(error: unknown, prefix = ''): never {
  if (!hasCode(error, ...ABOUT_THE_REQUEST)) throw error;
  const { violations } = error;
  if (violations.length === 0) throw passOn(error);
  // a callee of another version, with rules that ours does not have
  throw invalidRequest(violations.map(({ field, description }) => ({ field: prefix + field, description })));
}
