import type { Bench } from '../../bench.ts';
import { markUsage, usageSince } from '../../measure/usage.ts';
import { type Fetch, type FetchOptions, type OrderSet, rightShare } from '../../order-batches.ts';
import { cpuOf, usedUs } from './pod-cpu.ts';

/** What fetching a set once has given. */
export interface FetchedBatch {
  readonly itemsPerSecond: number;
  /** The CPU time of the lab, and of all pods of orders, per item in microseconds. */
  readonly labCpu: number;
  readonly ordersCpu: number;
  /** The share of the items that came, see {@link rightShare}. */
  readonly right: number;
}

/** Fetches a set, and counts the CPU time of both sides for this batch alone: nothing else may run meanwhile. */
export async function fetchBatch(
  bench: Bench<unknown>,
  set: OrderSet,
  fetch: Fetch,
  { options, inFlight }: FetchOptions,
): Promise<FetchedBatch> {
  const { mesh } = bench;
  const count = set.ids.length;
  const ordersCpu = () => cpuOf(bench, 'orders', () => mesh.orders.getOrder({ orderId: set.ids[0] ?? '' }, options(true)));
  const before = await ordersCpu();
  const mark = markUsage();
  const came = await fetch(mesh, set, { options, inFlight });
  const { elapsedMs, cpuUs } = usageSince(mark);
  const used = usedUs(before, await ordersCpu());
  return {
    itemsPerSecond: (1000 * count) / elapsedMs,
    labCpu: cpuUs / count,
    ordersCpu: used / count,
    right: rightShare(set.ids, came),
  };
}
