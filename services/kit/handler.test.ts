import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { CallOptions, Client } from './client.ts';
import { deadlineIn } from './deadline.ts';
import { scriptMetadata } from './experiment.ts';
import type { CallContext, Handlers } from './handler.ts';
import { RpcError } from './rpc-error.ts';
import { bind } from './server.ts';
import { ORDER, startServer } from './testing.ts';
import { whenAborted } from './testing-matchers.ts';

/** The work of a handler, whatever its kind; "answered" runs after the first message of a stream was sent. */
type Work = (context: CallContext) => unknown;

/** Handlers of all four kinds that do the same work, and the name of the method of each kind. */
function handlersThat(work: Work): Handlers<typeof Orders> {
  const answer = { order: undefined };
  async function* stream(_request: unknown, context: CallContext) {
    yield answer;
    await work(context);
  }
  return {
    getOrder: async (_request, context) => {
      await work(context);
      return answer;
    },
    createOrder: () => answer,
    listOrders: stream,
    watchOrder: stream,
    importOrders: async (_requests, context) => {
      await work(context);
      return { storedCount: 0, duplicateCount: 0 };
    },
    async *lookupOrders(_requests, context) {
      yield { orderId: '', order: undefined };
      await work(context);
    },
  };
}

const options = (): CallOptions => ({ deadline: deadlineIn(5000) });

/** One call of each kind; resolves when the call has ended well. */
const CALLS: Record<string, (client: Client<typeof Orders>, call: CallOptions) => Promise<unknown>> = {
  unary: (client, call) => client.getOrder({ orderId: 'o-1' }, call),
  'server streaming': (client, call) => Array.fromAsync(client.listOrders({ userId: 1, limit: 0 }, call)),
  'client streaming': (client, call) => client.importOrders([{ order: ORDER }], call),
  bidirectional: (client, call) => Array.fromAsync(client.lookupOrders([{ orderId: 'o-1' }], call)),
};

const THROWN: Record<string, { thrown: unknown; code: status; message: string; reason?: string }> = {
  'an RpcError': {
    thrown: new RpcError(status.NOT_FOUND, 'no such order', { reason: 'ORDER_NOT_FOUND' }),
    code: status.NOT_FOUND,
    message: 'no such order',
  },
  'an Error': { thrown: new Error('secret'), code: status.INTERNAL, message: 'internal error' },
  'an error with a code of a database': {
    thrown: Object.assign(new Error('secret'), { code: 23505 }),
    code: status.INTERNAL,
    message: 'internal error',
  },
  'an RpcError with half a surrogate pair': {
    thrown: new RpcError(status.NOT_FOUND, 'no such \ud83e', { reason: 'ORDER_NOT_FOUND' }),
    code: status.NOT_FOUND,
    message: 'no such \ufffd',
  },
  undefined: { thrown: undefined, code: status.INTERNAL, message: 'internal error' },
  'the error of another service that blames us': {
    thrown: new RpcError(status.INVALID_ARGUMENT, 'secret', { reason: 'X', upstream: 'payments' }),
    code: status.INTERNAL,
    message: 'internal error',
  },
  'the error of another service that is not there': {
    thrown: new RpcError(status.UNAVAILABLE, 'secret address', { reason: 'X', upstream: 'payments' }),
    code: status.UNAVAILABLE,
    message: 'payments is not available',
    reason: 'UPSTREAM_X',
  },
  'the error of another service that passes one on': {
    thrown: new RpcError(status.UNAVAILABLE, 'secret', { reason: 'UPSTREAM_X', upstream: 'orders' }),
    code: status.UNAVAILABLE,
    message: 'orders is not available',
    reason: 'UPSTREAM_X',
  },
  'the error of another service that broke off': {
    thrown: new RpcError(status.CANCELLED, 'secret', { reason: 'X', upstream: 'payments' }),
    code: status.UNAVAILABLE,
    message: 'payments broke off',
  },
};

describe('a handler', () => {
  for (const [kind, call] of Object.entries(CALLS)) {
    for (const [what, { thrown, ...expected }] of Object.entries(THROWN)) {
      it(`of a ${kind} method that rejects with ${what} answers ${status[expected.code]} and nothing internal`, async () => {
        const work = () => Promise.reject(thrown);
        await using server = await startServer([bind(Orders, handlersThat(work))]);
        await assert.rejects(call(server.client(Orders), options()), expected);
      });
    }

    it(`of a ${kind} method sees its signal abort with CANCELLED when the caller cancels, and what it answers is dropped`, async () => {
      const begun = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<unknown>();
      const work: Work = async ({ signal }) => {
        begun.resolve();
        await whenAborted(signal);
        ended.resolve(signal.reason);
      };
      await using server = await startServer([bind(Orders, handlersThat(work))]);
      const controller = new AbortController();
      const calling = call(server.client(Orders), {
        ...options(),
        signal: controller.signal,
        metadata: scriptMetadata([], 'run'),
      });
      calling.catch(() => {});
      await begun.promise;
      controller.abort();
      await assert.rejects(calling, { code: status.CANCELLED });
      assert.equal((await ended.promise) instanceof RpcError && ((await ended.promise) as RpcError).code, status.CANCELLED);
      assert.equal((await recordOf(server.records)).status, 'CANCELLED');
    });

    it(`of a ${kind} method sees its signal abort with DEADLINE_EXCEEDED when the deadline passes`, async () => {
      const reasons: RpcError[] = [];
      const work: Work = async ({ signal }) => {
        await whenAborted(signal);
        reasons.push(signal.reason);
      };
      await using server = await startServer([bind(Orders, handlersThat(work))]);
      const client = server.client(Orders);
      // with the time that a first connection takes, the caller's timer would be ahead of the server's by more than is tolerated
      await assert.rejects(call(client, { deadline: deadlineIn(100) }));
      const expiring = { deadline: deadlineIn(100), metadata: scriptMetadata([], 'run') };
      await assert.rejects(call(client, expiring), { code: status.DEADLINE_EXCEEDED });
      assert.equal((await recordOf(server.records)).status, 'DEADLINE_EXCEEDED');
      assert.equal(reasons.at(-1)?.code, status.DEADLINE_EXCEEDED);
    });

    it(`of a ${kind} method that throws after the caller has cancelled harms nobody`, async () => {
      const begun = Promise.withResolvers<void>();
      const work: Work = async ({ signal }) => {
        begun.resolve();
        await whenAborted(signal);
        throw new Error('too late');
      };
      await using server = await startServer([bind(Orders, handlersThat(work))]);
      const controller = new AbortController();
      const calling = call(server.client(Orders), {
        ...options(),
        signal: controller.signal,
        metadata: scriptMetadata([], 'run'),
      });
      calling.catch(() => {});
      await begun.promise;
      controller.abort();
      await assert.rejects(calling, { code: status.CANCELLED });
      await recordOf(server.records);
      await server.client(Orders).createOrder(ORDER, options());
    });
  }

  it('whose iterator goes on after its end is heard once', async () => {
    let calls = 0;
    const endless = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: calls++ > 1, value: { order: undefined } }) as IteratorResult<{ order: undefined }>,
      }),
    };
    await using server = await startServer([bind(Orders, { ...handlersThat(() => {}), listOrders: () => endless })]);
    const orders = await Array.fromAsync(server.client(Orders).listOrders({ userId: 1, limit: 0 }, options()));
    assert.equal(orders.length, 2);
  });

  it('is not started when the call was cancelled before its request was complete', async () => {
    let started = 0;
    await using server = await startServer([
      bind(
        Orders,
        handlersThat(() => started++),
      ),
    ]);
    const client = server.client(Orders);
    const controller = new AbortController();
    const burst = Array.from({ length: 50 }, () =>
      client.getOrder({ orderId: 'o-1' }, { ...options(), signal: controller.signal }),
    );
    controller.abort();
    for (const call of await Promise.allSettled(burst)) assert.equal(call.status, 'rejected');
    await client.getOrder({ orderId: 'o-1' }, options());
    assert.equal(started, 1);
  });

  it('may leave the loop over its requests early and still answer', async () => {
    const handlers = handlersThat(() => {});
    const importOrders: typeof handlers.importOrders = async requests => {
      for await (const _request of requests) break;
      return { storedCount: 1, duplicateCount: 0 };
    };
    await using server = await startServer([bind(Orders, { ...handlers, importOrders })]);
    const many = Array.from({ length: 10 }, () => ({ order: ORDER }));
    assert.deepEqual(await server.client(Orders).importOrders(many, options()), { storedCount: 1, duplicateCount: 0 });
  });
});

/** The record of the one marked call, as soon as its handler has stopped. */
async function recordOf(records: { status: string }[]): Promise<{ status: string }> {
  for (;;) {
    const [record] = records;
    if (record) return record;
    await wait(5);
  }
}
