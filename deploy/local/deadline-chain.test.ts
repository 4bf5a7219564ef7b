import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { PaymentServiceService as Payments } from '../../proto/gen/telltale/payments/v1/payments.ts';
import type { Step } from '../../proto/gen/telltale/script/v1/script.ts';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import type { Client } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { type CallRecord, preciseNow } from '../../services/kit/record.ts';
import type { RpcError } from '../../services/kit/rpc-error.ts';
import { quantile } from '../../services/lab/measure/statistics.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

const SLOW_PAYMENTS: Partial<Step> = { service: 'payments', method: 'Charge', waitMs: 1000 };
const AFTER_MS = 300;
const CALLS = 100;
const AT_ONCE = 4;

/** One PlaceOrder: its run and order, how it ended, and when it was to end and did, in milliseconds since the epoch. */
interface Outcome {
  run: string;
  orderId: string;
  code: status;
  dueAt: number;
  endedAt: number;
}

describe('PlaceOrder through edge and sidecars, with payments scripted to wait 1 s', () => {
  let mesh: TestMesh;
  let storefront: Client<typeof Storefront>;
  let payments: Client<typeof Payments>;
  before(async () => {
    mesh = await startTestMesh();
    storefront = mesh.client(Storefront);
    payments = mesh.client(Payments, mesh.pods('orders')[0]);
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  /** Places an order that ends by its deadline, or that its caller cancels, 300 ms from now. */
  async function place(run: string, steps: Partial<Step>[], by: 'deadline' | 'cancel'): Promise<Outcome> {
    const orderId = randomUUID();
    const order = { orderId, userId: 123, lines: [{ sku: 'sail', quantity: 1, unitPriceMinor: 100n }], currencyCode: 'EUR' };
    const metadata = scriptMetadata(steps, run);
    const signal = by === 'cancel' ? AbortSignal.timeout(AFTER_MS) : undefined;
    const dueAt = preciseNow() + AFTER_MS;
    const deadline = deadlineIn(by === 'cancel' ? 10_000 : AFTER_MS);
    const code = await storefront.placeOrder({ order }, { deadline, metadata, ...(signal && { signal }) }).then(
      () => status.OK,
      (error: RpcError) => error.code,
    );
    return { run, orderId, code, dueAt, endedAt: preciseNow() };
  }

  async function placeMany(name: string, by: 'deadline' | 'cancel'): Promise<Outcome[]> {
    await place(`warm-up of ${name}`, [], 'deadline');
    const outcomes: Outcome[] = [];
    while (outcomes.length < CALLS) {
      const runs = Array.from({ length: AT_ONCE }, (_, n) => `${name}-${outcomes.length + n}`);
      outcomes.push(...(await Promise.all(runs.map(run => place(run, [SLOW_PAYMENTS], by)))));
    }
    return outcomes;
  }

  /** The records of the four hops of each call. */
  async function hopsOf(name: string, outcomes: Outcome[]) {
    const records = await mesh.records(`${name}-`, outcomes.length * 4);
    return outcomes.map(outcome => {
      const hop = (method: string): CallRecord => {
        const found = records.filter(({ run, method: full }) => run === outcome.run && full.endsWith(method));
        assert.equal(found.length, 1, `${outcome.run} has ${found.length} records of ${method}`);
        return found[0] as CallRecord;
      };
      const hops = {
        storefront: hop('/PlaceOrder'),
        users: hop('/GetUser'),
        orders: hop('/CreateOrder'),
        payments: hop('/Charge'),
      };
      return { outcome, ...hops };
    });
  }

  /** How long after the call's end each hop that was still at work had stopped, in milliseconds. */
  function stopLags(calls: Awaited<ReturnType<typeof hopsOf>>): number[] {
    const lags = calls.flatMap(({ outcome, storefront, orders, payments }) =>
      [storefront, orders, payments].map(record => record.stoppedAt - outcome.dueAt),
    );
    return lags;
  }

  async function assertNothingCharged(outcomes: Outcome[]): Promise<void> {
    for (const { orderId } of outcomes) {
      const call = payments.getCharge({ idempotencyKey: orderId }, { deadline: deadlineIn(5000) });
      await assert.rejects(call, { code: status.NOT_FOUND });
    }
  }

  it('ends DEADLINE_EXCEEDED within its 300 ms at every hop, and nobody works on', async t => {
    const outcomes = await placeMany('deadline', 'deadline');
    const late = outcomes.map(({ endedAt, dueAt }) => endedAt - dueAt);
    const calls = await hopsOf('deadline', outcomes);
    const lags = stopLags(calls);
    const median = quantile(late, 0.5);
    t.diagnostic(
      `ended after the deadline: median ${median.toFixed(1)} ms, p95 ${quantile(late, 0.95).toFixed(1)} ms, n ${CALLS}`,
    );
    t.diagnostic(
      `handlers stopped after it: p50 ${quantile(lags, 0.5).toFixed(1)} ms, p95 ${quantile(lags, 0.95).toFixed(1)} ms`,
    );
    assert.deepEqual(new Set(outcomes.map(({ code }) => code)), new Set([status.DEADLINE_EXCEEDED]));
    assert.ok(Math.abs(median) <= 20, `the median call ended ${median} ms from its deadline`);
    for (const { outcome, storefront, users, orders, payments } of calls) {
      const budgets = [AFTER_MS + 1, storefront.budgetMs, orders.budgetMs, payments.budgetMs].map(Number);
      assert.deepEqual(
        budgets,
        budgets.toSorted((a, b) => b - a),
        `${outcome.run}: ${budgets}`,
      );
      assert.equal(new Set(budgets).size, budgets.length, `${outcome.run}: ${budgets}`);
      assert.ok(Number(users.budgetMs) < Number(storefront.budgetMs));
    }
    // a request that took long to arrive is reset by its caller's timer well before the callee's own
    const statuses = calls.flatMap(({ storefront, orders, payments }) => [storefront, orders, payments].map(hop => hop.status));
    const expired = statuses.filter(name => name === 'DEADLINE_EXCEEDED').length;
    t.diagnostic(`handlers that saw a deadline pass: ${expired} of ${statuses.length}; the others a reset`);
    assert.ok(statuses.every(name => /^(DEADLINE_EXCEEDED|CANCELLED)$/.test(name)) && expired > statuses.length / 2);
    assert.ok(quantile(lags, 0.95) <= 100, `p95 of the handlers stopped ${quantile(lags, 0.95)} ms after the deadline`);
    assert.ok(Math.max(...lags) < 1000);
    await assertNothingCharged(outcomes);
    await wait(1000); // the time that the script would have taken: no late charge may appear
    await assertNothingCharged(outcomes);
  });

  it('cancelled by its caller ends CANCELLED at every hop, and nobody works on', async t => {
    const outcomes = await placeMany('cancel', 'cancel');
    const calls = await hopsOf('cancel', outcomes);
    const lags = stopLags(calls);
    t.diagnostic(
      `handlers stopped after it: p50 ${quantile(lags, 0.5).toFixed(1)} ms, p95 ${quantile(lags, 0.95).toFixed(1)} ms`,
    );
    assert.deepEqual(new Set(outcomes.map(({ code }) => code)), new Set([status.CANCELLED]));
    for (const { outcome, storefront, orders, payments } of calls) {
      for (const hop of [storefront, orders, payments]) assert.equal(hop.status, 'CANCELLED', `${outcome.run} ${hop.method}`);
    }
    assert.ok(quantile(lags, 0.95) <= 100, `p95 of the handlers stopped ${quantile(lags, 0.95)} ms after the cancellation`);
    assert.ok(Math.max(...lags) < 1000);
    await assertNothingCharged(outcomes);
  });

  it('with propagation switched off, the control, runs to its end at the leaf, and charges for nobody', async () => {
    const { run, orderId, code } = await place(
      'detached',
      [SLOW_PAYMENTS, { service: 'orders', detachCalls: true }],
      'deadline',
    );
    assert.equal(code, status.DEADLINE_EXCEEDED);
    const records = await mesh.records(run, 4);
    const leaf = records.find(({ method }) => method.endsWith('/Charge'));
    assert.ok(leaf);
    assert.equal(leaf.status, 'OK');
    assert.ok(leaf.stoppedAt - leaf.arrivedAt >= 1000);
    const { charge } = await payments.getCharge({ idempotencyKey: orderId }, { deadline: deadlineIn(5000) });
    assert.equal(charge?.orderId, orderId);
  });
});
