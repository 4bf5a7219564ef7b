// Runs in a pod: so many calls a second at the edge, and open streams, until SIGTERM; then prints what became of them as one line.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { createClient } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { hasCode, RpcError, TRANSPORT } from '../../services/kit/rpc-error.ts';
import { type LoadResult, loadWhile } from '../local/testing-load.ts';

/** What the pod's argument says, as JSON. */
export interface LoadOptions {
  /** "host:port" of the edge. */
  address: string;
  /** Calls a second. */
  rate: number;
  /** A variant of the routes: "no-retry", or "default". */
  policy: string;
  /** How long a call may take, in milliseconds. */
  deadlineMs: number;
  /** Of ten calls how many place an order, and how many get a user, which asks nobody else; the others get a profile. */
  ordersOfTen: number;
  usersOfTen: number;
  /** What is ordered. */
  sku: string;
  /** What the ids of orders begin with, and the run that the calls are marked with; empty: no run. */
  mark: string;
  /** Who all calls are about; 0: one user after the other. */
  userId: number;
  /** How many streams are open at any time; each lasts eight seconds. */
  streams: number;
}

/** What the pod prints. */
export interface LoadReport extends LoadResult {
  /** When the load began, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** How many streams were opened, and how each ended that was cut without a status of ours. */
  readonly streams: number;
  readonly cutStreams: string[];
  /** The orders that were acknowledged as paid: order to charge. */
  readonly paid: Record<string, string>;
}

const STREAM_MS = 8000;

const options = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as LoadOptions;
const storefront = createClient(Storefront, { address: options.address });
const users = createClient(Users, { address: options.address });
const metadata = scriptMetadata([], options.mark || undefined, options.policy);
const stopped = once(process, 'SIGTERM');
const lines = [{ sku: options.sku, quantity: 1, unitPriceMinor: 100n }];
const paid: Record<string, string> = {};

async function call(n: number): Promise<void> {
  const userId = options.userId || 1 + (n % 10_000);
  const deadline = deadlineIn(options.deadlineMs);
  const ofTen = n % 10;
  if (ofTen >= 10 - options.usersOfTen) return void (await users.getUser({ id: userId }, { deadline, metadata }));
  if (ofTen >= options.ordersOfTen)
    return void (await storefront.getProfile({ userId, orderLimit: 1 }, { deadline, metadata }));
  const order = { orderId: `${options.mark}${randomUUID()}`, userId, lines, currencyCode: 'EUR' };
  const answer = await storefront.placeOrder({ order }, { deadline, metadata });
  paid[order.orderId] = answer.order?.chargeId ?? '';
}

/** An order that is never paid for, because payments is scripted to be away, so that watching it never ends by itself. */
async function pendingOrder(): Promise<string> {
  const orderId = randomUUID();
  const order = { orderId, userId: 1, lines, currencyCode: 'EUR' };
  const fails = scriptMetadata([{ service: 'payments', fail: { code: status.UNAVAILABLE, rate: 0 } }]);
  await storefront.placeOrder({ order }, { deadline: deadlineIn(5000), metadata: fails }).catch(() => {});
  return orderId;
}

let opened = 0;
const cutStreams: string[] = [];

/** Watches an order again and again; each stream must end with a status that a service or the deadline has given it. */
async function watch(orderId: string, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    opened++;
    try {
      for await (const _order of storefront.watchOrder(
        { orderId },
        { deadline: deadlineIn(STREAM_MS), metadata, signal: over },
      ));
    } catch (error) {
      const ours = error instanceof RpcError && error.reason !== TRANSPORT;
      const ended = over.aborted || ours || hasCode(error, status.DEADLINE_EXCEEDED);
      if (!ended) cutStreams.push(String(error));
    }
  }
}

const startedAt = Date.now();
const over = new AbortController();
const watching =
  options.streams > 0
    ? pendingOrder().then(id => Promise.all(Array.from({ length: options.streams }, () => watch(id, over.signal))))
    : [];
console.log('started');
const result = await loadWhile(stopped, options.rate, call);
over.abort();
await watching;
const report: LoadReport = { ...result, startedAt, streams: opened, cutStreams, paid };
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0)); // not before all of it is written
