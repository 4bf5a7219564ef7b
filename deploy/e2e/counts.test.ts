import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { NAMESPACE } from './kubectl.ts';
import { report, withLoad } from './load-pod.ts';
import { connectPrometheus, type Prometheus } from './prometheus.ts';

/** Calls a second, which two cores bear in pods whose code has just begun to run, too; and for how many seconds. */
const RATE = 100;
const SECONDS = 101;

/** Long enough for Prometheus to have seen the last call: two scrapes. */
const SCRAPED_MS = 12_000;

const inNamespace = (metric: string, labels: string) => `sum(${metric}{namespace="${NAMESPACE}",${labels}}) or vector(0)`;
const envoy = (service: string, cluster: string) =>
  inNamespace('envoy_cluster_grpc_total', `service="${service}",envoy_cluster_name="${cluster}"`);
const served = (method: string) => inNamespace('grpc_server_call_started_total', `grpc_method="${method}"`);
const ended = (method: string) => inNamespace('grpc_server_call_duration_seconds_count', `grpc_method="${method}"`);
const made = (method: string) =>
  inNamespace('grpc_client_call_duration_seconds_count', `grpc_method="${method}",grpc_status="OK"`);

const PROFILE = 'telltale.storefront.v1.StorefrontService/GetProfile';
const USER = 'telltale.users.v1.UserService/GetUser';
const ORDERS = 'telltale.orders.v1.OrderService/ListOrders';

/** Everybody who counts the calls of a client that asks for profiles, hop by hop: each must come to the same number. */
const COUNTERS = {
  'the edge, to storefront': envoy('edge', 'storefront'),
  "storefront's ingress": envoy('storefront', 'app'),
  'storefront, on arrival': served(PROFILE),
  'storefront, at the end': ended(PROFILE),
  'storefront, to users': made(USER),
  "storefront's egress, to users": envoy('storefront', 'users'),
  "users' ingress": envoy('users', 'app'),
  'users, on arrival': served(USER),
  'storefront, to orders': made(ORDERS),
  "storefront's egress, to orders": envoy('storefront', 'orders'),
  "orders' ingress": envoy('orders', 'app'),
  'orders, on arrival': served(ORDERS),
};

describe('ten thousand calls', () => {
  let prometheus: Prometheus;
  before(async () => {
    prometheus = await connectPrometheus();
  });
  after(() => prometheus?.[Symbol.dispose]());

  const counts = async () => {
    await wait(SCRAPED_MS);
    const values = Object.entries(COUNTERS).map(async ([who, expression]) => {
      const [series] = await prometheus.query(expression);
      return [who, Number(series?.value[1])] as const;
    });
    return new Map(await Promise.all(values));
  };

  it('are as many to the client, to every Envoy and to every server on the way', async t => {
    const before = await counts();
    const result = await withLoad({ rate: RATE, ordersOfTen: 0, deadlineMs: 20_000 }, () => wait(SECONDS * 1000));
    report(t, result);
    assert.equal(result.failures.length, 0);
    assert.ok(result.calls >= 10_000);
    const counted = [...(await counts())].map(([who, count]) => [who, count - (before.get(who) ?? 0)]);
    assert.deepEqual(
      counted,
      Object.keys(COUNTERS).map(who => [who, result.calls]),
    );
  });
});
