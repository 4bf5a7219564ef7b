import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { Client } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { orderSet, storeOrders } from '../../services/lab/order-batches.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

/** Streams on one connection that nobody reads, and what their server has for each: 100 answers of half a MiB. */
const READERS = 20;
const ANSWERS = 100;
const PADDING = 512 * 1024;
/** What one of them may make an Envoy hold, in MiB: its window, what the codec has of it besides, and an answer cut in two. */
const HELD_MIB = 1;
const MIB = 2 ** 20;

describe(`${READERS} callers who read the first answer of a stream and no other, all by one connection`, () => {
  let mesh: TestMesh;
  let orders: Client<typeof Orders>;
  const set = orderSet('slow-readers', 3_000_000, ANSWERS, 1);
  before(async () => {
    mesh = await startTestMesh();
    orders = mesh.client(Orders, mesh.pods('storefront')[0]);
    await storeOrders({ orders }, set, AbortSignal.timeout(30_000));
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  /** What each Envoy on the way has allocated, in MiB. */
  async function allocated(): Promise<number[]> {
    const pods = [...mesh.pods('storefront'), ...mesh.pods('orders')];
    return await Promise.all(
      pods.map(async ({ address }) => {
        const answer = await sendHttp(`${address}:15000`, { path: '/memory' }); // the statistics are seconds old
        return Number((answer.json() as { allocated: string }).allocated) / MIB;
      }),
    );
  }

  it(`hold up nobody else on it, and make no Envoy keep more than ${HELD_MIB} MiB for each`, async t => {
    const metadata = scriptMetadata([{ service: 'orders', method: 'ListOrders', padBytes: PADDING }]);
    const [before, over] = [await allocated(), new AbortController()];
    const streams = Array.from({ length: READERS }, () => {
      const limits = { deadline: deadlineIn(60_000), metadata, signal: over.signal };
      return orders.listOrders({ userId: set.userId, limit: ANSWERS }, limits)[Symbol.asyncIterator]();
    });
    const first = await Promise.all(streams.map(stream => stream.next()));
    assert.ok(first.every(({ value }) => value?.order?.orderId === set.ids.at(-1)));

    for (const orderId of set.ids) await orders.getOrder({ orderId }, { deadline: deadlineIn(2000) });
    const grown = (await allocated()).map((mib, n) => mib - (before[n] ?? Number.NaN));
    t.diagnostic(`the Envoys have grown by ${grown.map(mib => mib.toFixed(1)).join(', ')} MiB`);
    assert.ok(Math.max(...grown) < READERS * HELD_MIB);

    over.abort();
    await Promise.allSettled(streams.map(stream => stream.next()));
  });
});
