import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { createClient } from './client.ts';
import { deadlineIn } from './deadline.ts';
import { flushSpans } from './flush-spans.ts';
import { createLogger } from './log.ts';
import { readMetrics } from './metrics.ts';
import { RpcError } from './rpc-error.ts';
import { bind, createServer } from './server.ts';
import { emptyOrders } from './testing.ts';

/** A process that serves itself, for the tests of telemetry.ts: makes one call of each kind and outcome, prints its metrics, ends. */
const stopped = Promise.withResolvers<void>();
const handlers = emptyOrders({
  async getOrder({ orderId }, context) {
    logger.info({ method: context.method, traceparent: context.metadata.get('traceparent')[0] }, 'arrived');
    if (orderId === 'missing') throw new RpcError(status.NOT_FOUND, 'no such order', { reason: 'ORDER_NOT_FOUND' });
    if (orderId === 'broken') throw new Error('a bug');
    if (orderId === 'parent') for await (const _order of client.listOrders({ userId: 1, limit: 1 }, { context }));
    if (orderId === 'slow') await wait(5000, undefined, { signal: context.signal }).finally(stopped.resolve);
    return { order: undefined };
  },
  async *listOrders(_request, context) {
    logger.info({ method: context.method, traceparent: context.metadata.get('traceparent')[0] }, 'arrived');
    yield { order: undefined };
  },
  async *lookupOrders(requests, context) {
    for await (const { orderId } of requests) {
      await client.getOrder({ orderId }, { context });
      yield { orderId, order: undefined };
    }
  },
});
const logger = createLogger({ service: 'orders', pod: 'traced', level: 'info' });
const server = createServer({
  bindings: [bind(Orders, handlers)],
  pod: 'traced',
  logger,
  record: () => {},
  experiments: false,
  requireDeadline: false,
  reflection: false,
  resetLimit: { burst: 1000, rate: 1000 },
});
const client = createClient(Orders, { address: `127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 })}` });
const deadline = () => deadlineIn(5000);

await client.getOrder({ orderId: 'parent' }, { deadline: deadline() });
for await (const _answer of client.lookupOrders([{ orderId: 'a' }, { orderId: 'b' }], { deadline: deadline() }));
await client.getOrder({ orderId: 'missing' }, { deadline: deadline() }).catch(() => {});
await client.getOrder({ orderId: 'broken' }, { deadline: deadline() }).catch(() => {});
await client.getOrder({ orderId: 'slow' }, { deadline: deadlineIn(100) }).catch(() => {});
const cancelling = AbortSignal.timeout(100);
await client.getOrder({ orderId: 'slow' }, { deadline: deadline(), signal: cancelling }).catch(() => {});
await stopped.promise;
await wait(50); // until the server has heard of the cancellation, too
client[Symbol.dispose]();
await server.stop(1000);
await flushSpans();
console.log(await readMetrics());
process.exit(0);
