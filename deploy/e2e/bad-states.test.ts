import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Client, credentials, status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { Step } from '../../proto/gen/telltale/script/v1/script.ts';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { createClient } from '../../services/kit/client.ts';
import { DIRECT_CHANNEL } from '../../services/kit/connect-directly.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { RpcError } from '../../services/kit/rpc-error.ts';
import { loadWhile } from '../local/testing-load.ts';
import { dashboards } from '../observability/dashboards.ts';
import { exampleValues, queriesOf } from '../observability/queries.ts';
import { NAMESPACE, podsOf, portForward, settled, until } from './kubectl.ts';
import { withLoad } from './load-pod.ts';
import { type NodePod, startNodePod } from './node-pod.ts';
import { connectPrometheus, type Prometheus } from './prometheus.ts';

/** Those that may be empty while all is well; the table of alerts has a test of its own. */
const queries = queriesOf(dashboards, { ...exampleValues, namespace: NAMESPACE }).filter(
  ({ mayBeEmpty, panel }) => mayBeEmpty !== undefined && panel !== 'Firing alerts',
);

/** The canonical codes besides OK. */
const STATUSES = 16;

describe('what is empty while all is well', () => {
  let prometheus: Prometheus;
  let node: NodePod;
  const empty = new Set(queries);
  before(async () => {
    prometheus = await connectPrometheus();
    node = await startNodePod();
    const all = until('every query has data', 60_000, async () => {
      for (const query of empty) if ((await prometheus.query(query.expr)).length > 0) empty.delete(query);
      return empty.size === 0;
    }).catch(() => {}); // each test says what it missed
    await Promise.all([giveUpWhile(all), callWithoutDeadline(all), killWhile(all, node)]);
  });
  after(async () => {
    prometheus?.[Symbol.dispose]();
    await node?.[Symbol.asyncDispose]();
    await settled();
  });

  for (const query of queries) {
    const { dashboard, panel, refId, expr, mayBeEmpty } = query;
    it(`${dashboard}: ${panel}, query ${refId}, has data when it matters (${mayBeEmpty})`, () =>
      assert.ok(!empty.has(query), expr));
  }
});

/**
 * Orders that payments refuses with each status in turn, or that are given up after 300 ms, because payments takes a second, while
 * orders goes on for nobody.
 */
async function giveUpWhile(during: Promise<unknown>): Promise<void> {
  using edge = await portForward('service/edge', 8080);
  using storefront = createClient(Storefront, { address: edge.address });
  const lines = [{ sku: 'sail', quantity: 1, unitPriceMinor: 100n }];
  await loadWhile(during, 10, async n => {
    const order = { orderId: randomUUID(), userId: 1, lines, currencyCode: 'EUR' };
    const code = 1 + (n % STATUSES);
    const refused: Partial<Step>[] = [{ service: 'payments', fail: { code, rate: 0 } }];
    const slow: Partial<Step>[] = [
      { service: 'payments', waitMs: 1000 },
      { service: 'orders', detachCalls: true },
    ];
    const metadata = scriptMetadata(code === status.DEADLINE_EXCEEDED ? slow : refused);
    await assert.rejects(storefront.placeOrder({ order }, { deadline: deadlineIn(300), metadata }), RpcError);
  });
}

/** Past every Envoy, which would give these calls a deadline, and past the kit's client, which has none without. */
async function callWithoutDeadline(during: Promise<unknown>): Promise<void> {
  const pod = (await podsOf('orders')).at(-1);
  using forward = await portForward(`pod/${pod?.metadata.name}`, 50052);
  const client = new Client(forward.address, credentials.createInsecure(), DIRECT_CHANNEL);
  const { path, requestSerialize, responseDeserialize } = Orders.getOrder;
  await loadWhile(during, 1, () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { orderId: 'none' }, () => resolve());
    return promise;
  });
  client.close();
}

/** The first pod of orders is killed under load, so that the last one gets its calls as second attempts. */
async function killWhile(during: Promise<unknown>, node: NodePod): Promise<void> {
  await withLoad({}, async () => {
    const [pod] = await podsOf('orders');
    await loadWhile(during, 0.1, async () => {
      if (pod) await node.signal(pod, 'services/orders/main.ts', 'SIGKILL');
    });
  });
}
