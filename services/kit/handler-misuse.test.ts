import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ErrorInfo, RequestInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../proto/gen/google/rpc/status.ts';
import {
  GetOrderRequest,
  ImportOrdersRequest,
  ListOrdersRequest,
  LookupOrdersRequest,
  OrderServiceService as Orders,
} from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { Handlers } from './handler.ts';
import { createLogger, type Logger } from './log.ts';
import { bind } from './server.ts';
import { emptyOrders, ORDER, startServer, type TestServer } from './testing.ts';
import { growthOf } from './testing-metrics.ts';
import { frame, type RawAnswer, rawCall } from './testing-raw-call.ts';

/** A method of each kind, and a good request to it. */
const KINDS = {
  unary: [Orders.getOrder, GetOrderRequest.encode({ orderId: 'o-1' }).finish()],
  'server streaming': [Orders.listOrders, ListOrdersRequest.encode({ userId: 1, limit: 0 }).finish()],
  'client streaming': [Orders.importOrders, ImportOrdersRequest.encode({ order: ORDER }).finish()],
  bidirectional: [Orders.lookupOrders, LookupOrdersRequest.encode({ orderId: 'o-1' }).finish()],
} as const;

const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** Handlers of all kinds that are this function, whatever their types say. */
const all = (handler: () => unknown): Handlers<typeof Orders> => {
  const broken = handler as never;
  return emptyOrders({ getOrder: broken, listOrders: broken, importOrders: broken, lookupOrders: broken });
};

/** Ends twice: answers, answers again, then fails; as a promise and as a stream. */
const endsTwice = () => {
  let asked = 0;
  const answers = [{ order: undefined, storedCount: 0, duplicateCount: 0, orderId: '' }];
  return {
    // biome-ignore lint/suspicious/noThenProperty: a promise of somebody else's making is what is tested
    then(resolve: (value: unknown) => void, reject: (error: Error) => void) {
      for (const answer of [...answers, ...answers]) resolve(answer);
      reject(new Error('secret'));
    },
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        if (++asked > 2) throw new Error('secret');
        return asked === 1 ? { done: false, value: answers[0] } : { done: true, value: answers[0] };
      },
    }),
  };
};

const MISUSES: Record<string, { handler: () => unknown; code: status }> = {
  'throws instead of rejecting': {
    handler: () => {
      throw new Error('secret');
    },
    code: status.INTERNAL,
  },
  'returns nothing': { handler: () => undefined, code: status.INTERNAL },
  'returns what is no message and no stream': { handler: () => 7, code: status.INTERNAL },
  'ends twice': { handler: endsTwice, code: status.OK },
};

describe('a handler that does what it must not', () => {
  let healthy: TestServer;
  before(async () => {
    healthy = await startServer([bind(Orders, emptyOrders())]);
  });
  after(() => healthy[Symbol.asyncDispose]());

  for (const [kind, [{ path }, request]] of Object.entries(KINDS)) {
    const send = (server: TestServer, headers: Record<string, string> = {}): Promise<RawAnswer> =>
      rawCall(server.address, { ':path': path, 'grpc-timeout': '5S', ...headers }, frame(request));

    for (const [what, { handler, code }] of Object.entries(MISUSES)) {
      it(`of a ${kind} method, ${what}, is ${status[code]} once and counted, and nobody else is harmed`, async () => {
        await using server = await startServer([bind(Orders, all(handler))]);
        const ended = `grpc_server_call_duration_seconds_count{grpc_method="${path.slice(1)}",grpc_status="${status[code]}"}`;
        const answers: RawAnswer[] = [];
        const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
        const growth = await growthOf([ended], async () => answers.push(await send(server, headers)));
        const [answer = assert.fail()] = answers;
        assert.equal(answer.grpcStatus, code, answer.grpcMessage);
        assert.deepEqual(growth, [1]);
        if (code === status.INTERNAL) assert.deepEqual(toldOf(answer), ['internal error', 'INTERNAL', TRACE]);
        assert.equal((await send(healthy)).grpcStatus, status.OK);
      });
    }

    it(`of a ${kind} method is not run for a deadline that is over or that nobody can read`, async () => {
      let runs = 0;
      await using server = await startServer([
        bind(
          Orders,
          all(() => {
            runs++;
            throw new Error('not reached');
          }),
        ),
      ]);
      for (const value of ['0S', '0m', '1n', '0n']) {
        assert.equal((await send(server, { 'grpc-timeout': value })).grpcStatus, status.DEADLINE_EXCEEDED, value);
      }
      for (const value of ['-5S', '5S5S', '123456789m', '']) {
        assert.equal((await send(server, { 'grpc-timeout': value })).grpcStatus, status.INTERNAL, value);
      }
      assert.equal((await send(server, { 'Grpc-Timeout': '2S' })).grpcStatus, status.INTERNAL, 'two lines');
      assert.equal(runs, 0);
      await send(server);
      assert.equal(runs, 1, 'the control');
    });
  }

  it('says nothing of a trace that is none', async () => {
    await using server = await startServer([
      bind(
        Orders,
        all(() => undefined),
      ),
    ]);
    const [{ path }, request] = KINDS.unary;
    for (const traceparent of [
      '',
      'x',
      `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
      `00-${'x'.repeat(32)}-b7ad6b7169203331-01`,
    ]) {
      const answer = await rawCall(server.address, { ':path': path, traceparent }, frame(request));
      assert.deepEqual(toldOf(answer), ['internal error', 'INTERNAL'], traceparent);
    }
  });
});

describe('a call without a deadline', () => {
  /** Calls two methods three times each, and says of which methods the log was warned. */
  async function warnedOf(headers: Record<string, string>, requireDeadline = false): Promise<unknown[]> {
    const warned: unknown[] = [];
    const logger: Logger = createLogger({ service: 'test', pod: 'test', level: 'silent' });
    logger.warn = (line: unknown) => warned.push((line as { method: string }).method);
    await using server = await startServer([bind(Orders, emptyOrders())], { logger, requireDeadline });
    const { unary, bidirectional } = KINDS;
    for (const [{ path }, request] of [unary, bidirectional, unary, unary, bidirectional]) {
      await rawCall(server.address, { ':path': path, ...headers }, frame(request));
    }
    return warned;
  }

  it('is warned of once for each method', async () => {
    assert.deepEqual(await warnedOf({}), [
      'telltale.orders.v1.OrderService/GetOrder',
      'telltale.orders.v1.OrderService/LookupOrders',
    ]);
  });

  it('is not warned of when it has one, or when calls without are refused', async () => {
    assert.deepEqual(await warnedOf({ 'grpc-timeout': '5S' }), []);
    assert.deepEqual(await warnedOf({}, true), []);
  });
});

/** The message, the reason and the trace of an answer, and nothing else: what more there is would be in the list as a type's name. */
function toldOf({ grpcMessage, headers }: RawAnswer): string[] {
  const { details } = Status.decode(Buffer.from(String(headers['grpc-status-details-bin']), 'base64'));
  const told = details.map(({ typeUrl, value }) => {
    if (typeUrl.endsWith('/google.rpc.ErrorInfo')) return ErrorInfo.decode(value).reason;
    return typeUrl.endsWith('/google.rpc.RequestInfo') ? RequestInfo.decode(value).requestId : typeUrl;
  });
  return [grpcMessage, ...told];
}
