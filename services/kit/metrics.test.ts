import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { deadlineIn } from './deadline.ts';
import { RpcError } from './rpc-error.ts';
import { bind } from './server.ts';
import { emptyOrders, startServer, type TestServer } from './testing.ts';
import { growthOf, metricValues } from './testing-metrics.ts';
import { frame, rawCall } from './testing-raw-call.ts';

const GET = 'telltale.orders.v1.OrderService/GetOrder';
const ON_GET = `grpc_method="${GET}"`;

/** Waits until no handler runs any more. */
async function idle(): Promise<void> {
  while ((await metricValues()).get(`telltale_server_calls_active{${ON_GET}}`) !== 0) await wait(2);
}

describe('the metrics of calls', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer([
      bind(
        Orders,
        emptyOrders({
          async getOrder({ orderId }, { signal }) {
            if (orderId === 'missing') throw new RpcError(status.NOT_FOUND, 'no such order', { reason: 'ORDER_NOT_FOUND' });
            if (orderId === 'slow') await wait(5000, undefined, { signal });
            if (orderId === 'stubborn') await wait(300);
            return { order: undefined };
          },
        }),
      ),
    ]);
  });
  after(() => server[Symbol.asyncDispose]());

  const get = (orderId: string, ms = 5000, signal?: AbortSignal) =>
    server
      .client(Orders)
      .getOrder({ orderId }, { deadline: deadlineIn(ms), ...(signal && { signal }) })
      .catch(() => {})
      .then(idle);

  for (const [what, orderId, ms, cancelledAfterMs, code, endedBy] of [
    ['is answered', 'a', 5000, undefined, 'OK', 'handler'],
    ['fails', 'missing', 5000, undefined, 'NOT_FOUND', 'handler'],
    ['expires', 'slow', 80, undefined, 'DEADLINE_EXCEEDED', 'deadline'],
    ['is cancelled', 'slow', 5000, 80, 'CANCELLED', 'caller'],
  ] as const) {
    it(`count a call that ${what} once at the server and once at the client, as ${code}`, async () => {
      const series = [
        `grpc_server_call_started_total{${ON_GET}}`,
        `grpc_server_call_duration_seconds_count{${ON_GET},grpc_status="${code}"}`,
        `telltale_server_calls_ended_total{${ON_GET},ended_by="${endedBy}"}`,
        `telltale_server_call_budget_seconds_count{${ON_GET}}`,
        `rpc_server_request_size_bytes_count{${ON_GET}}`,
        `grpc_client_call_started_total{${ON_GET},grpc_target="orders"}`,
        `grpc_client_call_duration_seconds_count{${ON_GET},grpc_target="orders",grpc_status="${code}"}`,
      ];
      const signal = cancelledAfterMs === undefined ? undefined : AbortSignal.timeout(cancelledAfterMs);
      const growth = await growthOf(series, () => get(orderId, ms, signal));
      assert.deepEqual(
        growth,
        series.map(() => 1),
      );
    });
  }

  it('say how long a handler worked on for nobody', async () => {
    const series = ['count', 'sum'].map(part => `telltale_server_work_after_end_seconds_${part}{${ON_GET}}`);
    const [count, seconds = 0] = await growthOf(series, () => get('stubborn', 100));
    assert.equal(count, 1);
    assert.ok(seconds > 0.1 && seconds < 2, `${seconds} s`);
  });

  it('count calls without a deadline, and calls that are tried again', async () => {
    const series = ['telltale_server_calls_without_deadline_total', 'telltale_server_call_retries_total'];
    const headers = { ':path': `/${GET}`, 'x-envoy-attempt-count': '2' };
    const growth = await growthOf(
      series.map(name => `${name}{${ON_GET}}`),
      () => rawCall(server.address, headers, frame(Buffer.alloc(0))),
    );
    assert.deepEqual(growth, [1, 1]);
  });

  it('make no series of what callers invent', async () => {
    const names = async () => [...(await metricValues()).keys()].filter(name => name.includes('grpc_method')).sort();
    const before = await names();
    for (const path of [`/${GET}Invented`, '/telltale.invented.v1.Service/Method', '/x']) {
      await rawCall(server.address, { ':path': path }, frame(Buffer.alloc(0)));
    }
    assert.deepEqual(await names(), before);
  });

  it('know the connections, and how many streams the fullest has', async () => {
    const client = server.client(Orders);
    await client.getOrder({ orderId: 'a' }, { deadline: deadlineIn(5000) });
    const over = new AbortController();
    const open = Array.from({ length: 5 }, () =>
      client.getOrder({ orderId: 'slow' }, { deadline: deadlineIn(5000), signal: over.signal }).catch(() => {}),
    );
    while ((await metricValues()).get('telltale_server_connection_streams_max') !== 5) await wait(2);
    const values = await metricValues();
    assert.ok((values.get('telltale_server_connections_active') ?? 0) >= 1);
    assert.ok((values.get('grpc_subchannel_open_connections{grpc_target="orders"}') ?? 0) >= 1);
    assert.equal(values.get(`telltale_server_calls_active{${ON_GET}}`), 5);
    assert.equal(values.get(`telltale_client_calls_active{${ON_GET},grpc_target="orders"}`), 5);
    over.abort();
    await Promise.all(open);
  });

  it('count the calls that wait for a connection, and the attempts to make one', async () => {
    const failed = 'grpc_subchannel_connection_attempts_failed_total{grpc_target="orders"}';
    const [growth] = await growthOf([failed], async () => {
      const nobody = server.client(Orders, {
        address: '127.0.0.1:1',
        serviceConfig: { loadBalancingConfig: [{ pick_first: {} }], methodConfig: [{ name: [{}], waitForReady: true }] },
      });
      const call = nobody.getOrder({ orderId: 'o-1' }, { deadline: deadlineIn(300) }).catch(() => {});
      while ((await metricValues()).get('telltale_client_calls_queued{grpc_target="orders"}') !== 1) await wait(2);
      await call;
    });
    assert.ok((growth ?? 0) >= 1);
  });
});
