import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Metadata, status } from '@grpc/grpc-js';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { type CallOptions, type Client, createClient } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { connectJaeger, type Jaeger, type Span } from './jaeger.ts';
import { type PortForward, portForward } from './kubectl.ts';

/** A call as a caller, or the edge, sees it: who makes it, who answers it, and by which method. */
const HOPS = [
  ['edge', 'storefront', 'telltale.storefront.v1.StorefrontService/PlaceOrder'],
  ['storefront', 'users', 'telltale.users.v1.UserService/GetUser'],
  ['storefront', 'orders', 'telltale.orders.v1.OrderService/CreateOrder'],
  ['orders', 'payments', 'telltale.payments.v1.PaymentService/Charge'],
] as const;

/** What a span is, in a line. */
const line = ({ service, proxy, kind, name }: Span) => `${service} ${proxy ? 'Envoy' : 'app'} ${kind} ${name}`;

/** Every parent and child that a PlaceOrder has, each as "parent > child". */
const EXPECTED = HOPS.flatMap(([caller, callee, method]) => {
  const egress = `${caller} Envoy client router ${callee} egress`;
  const ingress = `${callee} Envoy server ingress`;
  const toApp = `${callee} Envoy client router app egress`;
  const app = `${callee} app server ${method}`;
  const before =
    caller === 'edge'
      ? [`edge Envoy server ingress > ${egress}`]
      : [
          `${caller} app server ${HOPS.find(hop => hop[1] === caller)?.[2]} > ${caller} app client ${method}`,
          `${caller} app client ${method} > ${caller} Envoy server egress ${callee}`,
          `${caller} Envoy server egress ${callee} > ${egress}`,
        ];
  return [...before, `${egress} > ${ingress}`, `${ingress} > ${toApp}`, `${toApp} > ${app}`];
});

function edgesOf(spans: Span[]): string[] {
  const byId = new Map(spans.map(span => [span.id, span]));
  return spans.flatMap(span => {
    const parent = span.parent === undefined ? undefined : byId.get(span.parent);
    return parent ? [`${line(parent)} > ${line(span)}`] : [];
  });
}

describe('the trace of a PlaceOrder', () => {
  let edge: PortForward;
  let jaeger: Jaeger;
  let storefront: Client<typeof Storefront>;
  before(async () => {
    [edge, jaeger] = await Promise.all([portForward('service/edge', 8080), connectJaeger()]);
    storefront = createClient(Storefront, { address: edge.address });
    // a hop whose code is not compiled yet hears of a deadline so late that it takes the reset for a cancellation: deadline.ts
    for (let call = 0; call < 100; call++) await placeOrder({});
  });
  after(() => {
    for (const resource of [storefront, jaeger, edge]) resource?.[Symbol.dispose]();
  });

  const placeOrder = (options: Partial<CallOptions>) => {
    const lines = [{ sku: 'sail', quantity: 1, unitPriceMinor: 100n }];
    const order = { orderId: randomUUID(), userId: 7, lines, currencyCode: 'EUR' };
    return storefront.placeOrder({ order }, { deadline: deadlineIn(5000), ...options } as CallOptions);
  };
  const isWhole = (spans: Span[]) => spans.length > EXPECTED.length;

  it('is named by the answer, and has every parent and child that is expected, one root, and no orphan', async () => {
    const answered = Promise.withResolvers<Metadata>();
    await placeOrder({ onMetadata: answered.resolve });
    const [trace] = (await answered.promise).get('telltale-trace');
    const spans = await jaeger.trace(String(trace), isWhole);
    assert.deepEqual(edgesOf(spans).sort(), [...EXPECTED].sort());
    assert.deepEqual(spans.filter(({ parent }) => parent === undefined).map(line), ['edge Envoy server ingress']);
    for (const { proxy, tags } of spans)
      assert.equal(proxy ? tags['grpc.status_code'] : tags['rpc.status_code'], proxy ? '0' : 'OK');
  });

  for (const [ends, code, options] of [
    ['ends by its deadline', status.DEADLINE_EXCEEDED, () => ({ deadline: deadlineIn(400) })],
    ['is cancelled by its caller', status.CANCELLED, () => ({ signal: AbortSignal.timeout(400) })],
  ] as const) {
    it(`that ${ends} says so in every span but those of the call that had been answered`, async t => {
      const start = Date.now();
      const metadata = scriptMetadata([{ service: 'payments', waitMs: 3000 }]);
      await assert.rejects(placeOrder({ ...options(), metadata }), { code });
      const name = status[code];
      const root = ['storefront', HOPS[0][2]] as const;
      const spans = await jaeger.trace(await jaeger.find(...root, { 'rpc.status_code': name }, start), isWhole);
      assert.deepEqual(edgesOf(spans).sort(), [...EXPECTED].sort());
      const [answered, ended] = [spans.filter(isOfUsers), spans.filter(span => !isOfUsers(span))];
      for (const span of answered) assert.equal(span.tags.error, undefined, line(span));
      for (const span of ended) {
        const { 'rpc.status_code': ofApp, 'grpc.status_code': ofEnvoy, response_flags: flags } = span.tags;
        t.diagnostic(`${line(span)}: ${ofApp ?? ofEnvoy ?? `reset (${flags})`}`);
        if (!span.proxy) assert.equal(ofApp, name, line(span));
        // of a call that is reset Envoy knows no code; its flag says by whom, where that was the caller
        else
          assert.ok(String(span.tags.error) === 'true' && [undefined, String(code)].includes(ofEnvoy as undefined), line(span));
      }
    });
  }
});

/** Whether the span is one of GetUser, from storefront's call to the answer of users. */
const isOfUsers = ({ service, name }: Span) => service === 'users' || /users/.test(name);
