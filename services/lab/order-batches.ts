import { status } from '@grpc/grpc-js';
import type { ImportOrdersRequest } from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { CallOptions } from '../kit/client.ts';
import { deadlineIn } from '../kit/deadline.ts';
import { hasCode } from '../kit/rpc-error.ts';
import { share } from './measure/statistics.ts';
import type { Mesh } from './mesh.ts';

/** Orders of a user who has no others. */
export interface OrderSet {
  readonly userId: number;
  /** In the order in which they are stored; ListOrders answers the last of them first. */
  readonly ids: readonly string[];
  /** How many lines each has. */
  readonly lines: number;
}

/** How long storing a set may take, in milliseconds. */
const STORE_MS = 30_000;

/** Names `count` orders of so many lines. Sets of other counts have other users, so that none has more than its own. */
export function orderSet(name: string, firstUserId: number, count: number, lines: number): OrderSet {
  const ids = Array.from({ length: count }, (_, n) => `${name}-${count}-${String(n).padStart(5, '0')}`);
  return { userId: firstUserId + count, ids, lines };
}

/** Has orders store a set, unless it is there: by what the contract promises, doing so again changes nothing. */
export async function storeOrders({ orders }: Pick<Mesh, 'orders'>, set: OrderSet, signal: AbortSignal): Promise<void> {
  const limits = { deadline: deadlineIn(STORE_MS), signal };
  try {
    await orders.getOrder({ orderId: set.ids.at(-1) ?? '' }, limits);
  } catch (error) {
    if (!hasCode(error, status.NOT_FOUND)) throw error;
    await orders.importOrders(ordersOf(set), limits);
  }
}

function* ordersOf({ userId, ids, lines }: OrderSet): Generator<ImportOrdersRequest> {
  for (const [n, orderId] of ids.entries()) {
    const line = (at: number) => ({ sku: `article-${n}-${at}`.padEnd(48, '-'), quantity: 1, unitPriceMinor: BigInt(100 + at) });
    yield { order: { orderId, userId, lines: Array.from({ length: lines }, (_, at) => line(at)), currencyCode: 'EUR' } };
  }
}

/** How a set is fetched: the calls at the same time where there are many, and the options of a call. */
export interface FetchOptions {
  readonly inFlight: number;
  /** Of one call; only a marked one leaves a record. */
  options(marked: boolean): CallOptions;
}

/** Fetches a set; resolves to the ids that came, in the order of the set's if all is well. */
export type Fetch = (mesh: Pick<Mesh, 'orders'>, set: OrderSet, options: FetchOptions) => Promise<string[]>;

/** A call of GetOrder for each item, some at the same time; the last is the marked one, as records cost time, too. */
export const fetchByUnary: Fetch = async ({ orders }, { ids }, { inFlight, options }) => {
  const found = ids.map(() => '');
  const left = ids.entries();
  const work = async () => {
    for (const [n, orderId] of left) {
      const { order } = await orders.getOrder({ orderId }, options(n === ids.length - 1));
      found[n] = order?.orderId ?? '';
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return found;
};

/** One call of ListOrders. */
export const fetchByServerStream: Fetch = async ({ orders }, { userId, ids }, { options }) => {
  const answers = await Array.fromAsync(orders.listOrders({ userId, limit: ids.length }, options(true)));
  return answers.map(({ order }) => order?.orderId ?? '').toReversed();
};

/** One call of LookupOrders, with an id for each item. */
export const fetchByBidi: Fetch = async ({ orders }, { ids }, { options }) => {
  const requests = ids.map(orderId => ({ orderId }));
  const answers = await Array.fromAsync(orders.lookupOrders(requests, options(true)));
  return answers.map(({ order }) => order?.orderId ?? '');
};

/** The share of the expected ids that came, each in its place; 0 when more came than were expected. */
export function rightShare(expected: readonly string[], came: readonly string[]): number {
  return came.length > expected.length ? 0 : share([...expected.entries()], ([n, id]) => came[n] === id);
}
