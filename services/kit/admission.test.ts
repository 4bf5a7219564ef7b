import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../proto/gen/google/rpc/status.ts';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { deadlineIn } from './deadline.ts';
import { checked, type Handlers } from './handler.ts';
import type { MethodDefinition } from './method.ts';
import { bind } from './server.ts';
import { emptyOrders, ORDER, startServer } from './testing.ts';
import { violates } from './testing-matchers.ts';
import { frame, rawCall } from './testing-raw-call.ts';
import { requestRules } from './validate.ts';

interface Case {
  readonly method: MethodDefinition;
  readonly good: Buffer;
  readonly bad: Buffer;
  readonly field: string;
}

const invalidUtf8 = Buffer.from([0x0a, 0x01, 0xff]);

/** For each kind of method a good request, a bad one, and the path of what is bad when it is sent after the good one, or alone. */
const CASES: Record<string, Case> = {
  unary: {
    method: Orders.getOrder,
    good: Orders.getOrder.requestSerialize({ orderId: 'o-1' }),
    bad: Buffer.alloc(0),
    field: 'order_id',
  },
  'server streaming': {
    method: Orders.listOrders,
    good: Orders.listOrders.requestSerialize({ userId: 1, limit: 0 }),
    bad: Orders.listOrders.requestSerialize({ userId: 1, limit: -1 }),
    field: 'limit',
  },
  'client streaming': {
    method: Orders.importOrders,
    good: Orders.importOrders.requestSerialize({ order: ORDER }),
    bad: Orders.importOrders.requestSerialize({ order: { ...ORDER, userId: 0 } }),
    field: '[1].order.user_id',
  },
  bidirectional: {
    method: Orders.lookupOrders,
    good: Orders.lookupOrders.requestSerialize({ orderId: 'o-1' }),
    bad: invalidUtf8,
    field: '[1].order_id',
  },
};

/** Handlers that note each request, and each message of a stream, that they see. */
function handlersThatNote(seen: unknown[]): Handlers<typeof Orders> {
  return emptyOrders({
    getOrder: request => {
      seen.push(request);
      return { order: undefined };
    },
    async *listOrders(request) {
      seen.push(request);
      yield { order: undefined };
    },
    async importOrders(requests) {
      for await (const request of requests) seen.push(request);
      return { storedCount: 0, duplicateCount: 0 };
    },
    async *lookupOrders(requests) {
      for await (const { orderId } of requests) {
        seen.push(orderId);
        yield { orderId, order: undefined };
      }
    },
  });
}

describe('a method', () => {
  for (const [kind, { method, good, bad, field }] of Object.entries(CASES)) {
    const send = async (last: Buffer) => {
      const seen: unknown[] = [];
      await using server = await startServer([bind(Orders, handlersThatNote(seen))]);
      const body = method.requestStream ? Buffer.concat([frame(good), frame(last)]) : frame(last);
      const answer = await rawCall(server.address, { ':path': method.path }, body);
      return { answer, seen: seen.length };
    };
    const before = method.requestStream ? 1 : 0;

    it(`of the kind ${kind} runs its handler for a good request, the control`, async () => {
      const { answer, seen } = await send(good);
      assert.deepEqual([answer.grpcStatus, seen], [status.OK, before + 1]);
    });

    it(`of the kind ${kind} is INVALID_ARGUMENT for a bad one, with google.rpc details, and its handler does not see it`, async () => {
      const { answer, seen } = await send(bad);
      assert.deepEqual([answer.grpcStatus, seen], [status.INVALID_ARGUMENT, before]);
      const { details } = Status.decode(Buffer.from(String(answer.headers['grpc-status-details-bin']), 'base64'));
      const [info, badRequest] = details.map(({ value }) => value);
      assert.deepEqual(ErrorInfo.decode(info ?? assert.fail()), {
        reason: 'INVALID_REQUEST',
        domain: 'telltale',
        metadata: {},
      });
      const { fieldViolations } = BadRequest.decode(badRequest ?? assert.fail());
      assert.deepEqual(
        fieldViolations.map(violation => violation.field),
        [field],
      );
    });

    it(`of the kind ${kind} is RESOURCE_EXHAUSTED for one that is longer than its contract allows, and not at its limit`, async () => {
      const { maxBytes } = requestRules(method.path);
      const most = await send(Buffer.concat([good, filler(maxBytes - good.length)]));
      assert.deepEqual([most.answer.grpcStatus, most.seen], [status.OK, before + 1]);
      const { answer, seen } = await send(Buffer.concat([good, filler(maxBytes - good.length + 1)]));
      assert.deepEqual([answer.grpcStatus, seen], [status.RESOURCE_EXHAUSTED, before]);
      assert.match(answer.grpcMessage, new RegExp(`${maxBytes + 1} bytes is too long: \\w+ takes at most ${maxBytes}; `));
    });
  }

  it('that no contract has cannot be served', async () => {
    const { getOrder } = Orders;
    const unknown = { getOrder: { ...getOrder, path: '/telltale.orders.v1.OrderService/NoSuch' } };
    await assert.rejects(startServer([bind(unknown, { getOrder: () => ({ order: undefined }) })]), /NoSuch is in no contract/);
  });
});

describe('checked', () => {
  it('names what the check finds together with what the contract finds, and a field once', async () => {
    const check = () => ['user_id', 'limit', 'other'].map(field => ({ field, description: 'must be otherwise' }));
    const handlers = emptyOrders({ listOrders: checked(check, emptyOrders().listOrders) });
    await using server = await startServer([bind(Orders, handlers)]);
    const list = (userId: number, limit: number) =>
      Array.fromAsync(server.client(Orders).listOrders({ userId, limit }, { deadline: deadlineIn(5000) }));
    await assert.rejects(list(1, -1), violates('limit', 'user_id', 'other'));
    await assert.rejects(list(1, 1), violates('user_id', 'limit', 'other'));
  });
});

/** So many bytes, more than two, of a field that no message has: two each, and three for an odd one. */
function filler(bytes: number): Buffer {
  const odd = bytes % 2 === 1 ? Buffer.from([0x78, 0x80, 0]) : Buffer.alloc(0);
  return Buffer.concat([odd, Buffer.alloc(bytes - odd.length, '7800', 'hex')]);
}
