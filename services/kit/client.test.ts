import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { PaymentServiceService as Payments } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { createClient, detached } from './client.ts';
import { deadlineIn, remainingMs } from './deadline.ts';
import { scriptMetadata } from './experiment.ts';
import type { CallContext, Handlers } from './handler.ts';
import { RpcError } from './rpc-error.ts';
import { bind } from './server.ts';
import { emptyOrders, ORDER, startServer, type TestServer } from './testing.ts';

const soon = () => ({ deadline: deadlineIn(5000) });
const getCharge = { idempotencyKey: 'k' };

/** A leaf whose handler reports its context and then waits until the call ends or `answer` resolves. */
function leaf(answer: Promise<unknown> = new Promise(() => {})) {
  const contexts: CallContext[] = [];
  const budgets: number[] = [];
  const stopped: unknown[] = [];
  const handlers: Handlers<typeof Payments> = {
    charge: () => ({ charge: undefined, replayed: false }),
    async getCharge(_request, context) {
      contexts.push(context);
      budgets.push(remainingMs(context.deadline));
      await Promise.race([answer, once(context.signal, 'abort')]);
      stopped.push(context.signal.reason);
      return { charge: undefined };
    },
  };
  return { contexts, budgets, stopped, binding: bind(Payments, handlers) };
}

/** A server whose getOrder calls the leaf in the way given. */
async function hop(to: TestServer, call: (client: ReturnType<typeof pay>, context: CallContext) => Promise<unknown>) {
  const client = pay(to);
  const handlers = emptyOrders({
    async getOrder(_request, context) {
      await call(client, context);
      return { order: undefined };
    },
  });
  return startServer([bind(Orders, handlers)]);
}
const pay = (server: TestServer) => server.client(Payments);

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(2);
}

describe('a call made with a context', () => {
  it('has less of a budget than its parent, and ends DEADLINE_EXCEEDED with it', async () => {
    const { budgets, stopped, binding } = leaf();
    await using bottom = await startServer([binding]);
    let parent = 0;
    await using top = await hop(bottom, (client, context) => {
      parent = remainingMs(context.deadline);
      return client.getCharge(getCharge, { context });
    });
    const call = top.client(Orders).getOrder({ orderId: 'o-1' }, { deadline: deadlineIn(1000) });
    await assert.rejects(call, { code: status.DEADLINE_EXCEEDED });
    await until(() => stopped.length === 1);
    assert.ok(budgets[0] && budgets[0] < parent, `${budgets} of ${parent} ms`); // a time from now is sent, so compare times from now
    assert.ok(stopped[0] instanceof RpcError); // its deadline, or on a slow day the reset of its caller's
  });

  it('ends DEADLINE_EXCEEDED when it hears that its parent has expired before its own timer says so', async () => {
    const { contexts, binding } = leaf();
    await using bottom = await startServer([binding]);
    const expired = new AbortController();
    const call = pay(bottom).getCharge(getCharge, { ...soon(), signal: expired.signal });
    call.catch(() => {});
    await until(() => contexts.length === 1);
    expired.abort(new RpcError(status.DEADLINE_EXCEEDED, 'the deadline has passed', { reason: 'DEADLINE_EXCEEDED' }));
    await assert.rejects(call, { code: status.DEADLINE_EXCEEDED });
  });

  it('is cancelled with its parent', async () => {
    const { contexts, stopped, binding } = leaf();
    await using bottom = await startServer([binding]);
    await using top = await hop(bottom, (client, context) => client.getCharge(getCharge, { context }));
    const controller = new AbortController();
    const call = top.client(Orders).getOrder({ orderId: 'o-1' }, { ...soon(), signal: controller.signal });
    call.catch(() => {});
    await until(() => contexts.length === 1);
    controller.abort();
    await assert.rejects(call, { code: status.CANCELLED });
    await until(() => stopped.length === 1);
    assert.equal((stopped[0] as RpcError).code, status.CANCELLED);
  });

  it('is not made when its parent has ended', async () => {
    const { contexts, binding } = leaf();
    await using bottom = await startServer([binding]);
    const outcome = Promise.withResolvers<unknown>();
    let begun = false;
    await using top = await hop(bottom, async (client, context) => {
      begun = true;
      await once(context.signal, 'abort');
      outcome.resolve(await client.getCharge(getCharge, { context }).catch(error => error));
    });
    // On a busy machine a call may expire before its handler begins.
    while (!begun) await assert.rejects(top.client(Orders).getOrder({ orderId: 'o-1' }, { deadline: deadlineIn(50) }));
    assert.equal(((await outcome.promise) as RpcError).code, status.DEADLINE_EXCEEDED);
    assert.equal(contexts.length, 0);
  });

  it('carries the run and the script on to the next hop', async () => {
    const { contexts, binding } = leaf(Promise.resolve());
    await using bottom = await startServer([binding]);
    await using top = await hop(bottom, (client, context) => client.getCharge(getCharge, { context }));
    const metadata = scriptMetadata([{ service: 'payments', method: 'GetCharge', waitMs: 1 }], 'a run');
    await top.client(Orders).getOrder({ orderId: 'o-1' }, { ...soon(), metadata });
    assert.equal(contexts[0]?.experiment.run, 'a run');
    assert.equal(contexts[0]?.experiment.steps[0]?.waitMs, 1);
    assert.deepEqual(
      [...top.records, ...bottom.records].map(record => record.run),
      ['a run', 'a run'],
    );
  });

  it('runs on, the control, when a script detaches it: neither deadline nor cancellation reach it', async () => {
    const answer = Promise.withResolvers<void>();
    const { contexts, stopped, binding } = leaf(answer.promise);
    await using bottom = await startServer([binding]);
    await using top = await hop(bottom, (client, context) => client.getCharge(getCharge, { context }));
    const metadata = scriptMetadata([{ service: 'orders', detachCalls: true }]);
    await assert.rejects(top.client(Orders).getOrder({ orderId: 'o-1' }, { deadline: deadlineIn(100), metadata }));
    await wait(50); // long enough for a cancellation to arrive, were there one
    assert.equal(contexts[0]?.signal.aborted, false);
    answer.resolve();
    await until(() => stopped.length === 1);
    assert.equal(stopped[0], undefined);
  });
});

describe('a client', () => {
  it('detached calls outlive the call that they are made for', async () => {
    const answer = Promise.withResolvers<void>();
    const { contexts, stopped, binding } = leaf(answer.promise);
    await using bottom = await startServer([binding]);
    await using top = await hop(bottom, async client => {
      void client.getCharge(getCharge, detached(5000));
      await until(() => contexts.length === 1);
    });
    await top.client(Orders).getOrder({ orderId: 'o-1' }, soon());
    answer.resolve();
    await until(() => stopped.length === 1);
    assert.equal(stopped[0], undefined);
  });

  it('tells the reason, when to try again and every violation that the callee sent', async () => {
    const violations = [{ field: 'lines[2].sku', description: 'must not be empty' }];
    const error = new RpcError(status.INVALID_ARGUMENT, 'wrong', { reason: 'INVALID_REQUEST', violations, retryAfterMs: 1500 });
    await using server = await startServer([bind(Orders, emptyOrders({ getOrder: () => Promise.reject(error) }))]);
    const call = server.client(Orders).getOrder({ orderId: 'o-1' }, soon());
    await assert.rejects(call, {
      code: status.INVALID_ARGUMENT,
      reason: 'INVALID_REQUEST',
      violations,
      retryAfterMs: 1500,
      upstream: 'orders',
    });
  });

  it('answers UNAVAILABLE when nobody listens', async () => {
    using client = createClient(Orders, { address: '127.0.0.1:1' });
    await assert.rejects(client.getOrder({ orderId: 'o-1' }, soon()), { code: status.UNAVAILABLE });
  });

  it('shares its connection with others that have equal options, unless it has one of its own; the last closes it', async () => {
    const peers: string[] = [];
    const handlers = emptyOrders({
      getOrder: (_request, { peer }) => {
        peers.push(peer);
        return { order: undefined };
      },
    });
    await using server = await startServer([bind(Orders, handlers)]);
    const connections = async (ownConnection: boolean, atOnce: boolean) => {
      peers.length = 0;
      using open = new DisposableStack();
      for (let n = 0; n < 3; n++) {
        const client = createClient(Orders, { address: server.address, ownConnection });
        if (atOnce) open.use(client);
        await client.getOrder({ orderId: 'o-1' }, soon());
        if (!atOnce) client[Symbol.dispose]();
      }
      return new Set(peers).size;
    };
    assert.deepEqual(
      [await connections(false, true), await connections(true, true), await connections(false, false)],
      [1, 3, 3],
    );
  });

  it('cancels a stream whose reader leaves', async () => {
    const left = Promise.withResolvers<RpcError>();
    const handlers = emptyOrders({
      async *listOrders(_request, context) {
        context.signal.addEventListener('abort', () => left.resolve(context.signal.reason));
        for (;;) yield await wait(1, { order: undefined }, { signal: context.signal });
      },
    });
    await using server = await startServer([bind(Orders, handlers)]);
    for await (const _order of server.client(Orders).listOrders({ userId: 1, limit: 0 }, soon())) break;
    assert.equal((await left.promise).code, status.CANCELLED);
  });

  it('writes no faster than a slow server reads', async () => {
    let written = 0;
    const release = Promise.withResolvers<void>();
    const handlers = emptyOrders({
      async importOrders(requests) {
        await release.promise;
        for await (const _request of requests);
        return { storedCount: 1, duplicateCount: 0 };
      },
    });
    const line = { sku: '帆'.repeat(64), quantity: 1, unitPriceMinor: 1n };
    const order = { ...ORDER, lines: Array.from({ length: 200 }, () => line) }; // 40 KB
    function* requests() {
      for (; written < 1000; written++) yield { order };
    }
    await using server = await startServer([bind(Orders, handlers)]);
    const call = server.client(Orders).importOrders(requests(), { deadline: deadlineIn(20_000) });
    let before = -1;
    while (before !== written) {
      before = written;
      await wait(50);
    }
    assert.ok(written < 500, `${written} of 1000 messages were taken before the server read one`);
    release.resolve();
    assert.equal((await call).storedCount, 1);
    assert.equal(written, 1000);
  });

  it('rejects with what its request stream threw, and cancels the call', async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<RpcError>();
    const handlers = emptyOrders({
      async importOrders(requests, context) {
        begun.resolve();
        context.signal.addEventListener('abort', () => ended.resolve(context.signal.reason));
        for await (const _request of requests);
        return { storedCount: 0, duplicateCount: 0 };
      },
    });
    await using server = await startServer([bind(Orders, handlers)]);
    async function* broken() {
      yield { order: ORDER };
      await begun.promise;
      throw new Error('no more');
    }
    await assert.rejects(server.client(Orders).importOrders(broken(), soon()), { message: 'no more' });
    assert.equal((await ended.promise).code, status.CANCELLED);
  });
});
