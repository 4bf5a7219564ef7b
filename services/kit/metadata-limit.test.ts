import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { bind } from './server.ts';
import { emptyOrders, startServer, type TestServer } from './testing.ts';
import { frame, rawCall } from './testing-raw-call.ts';

/** What is sent, and the status that it gets. */
const METADATA: Record<string, [Record<string, string>, status]> = {
  'a value of 60 KiB': [{ 'x-large': 'x'.repeat(60 * 1024) }, status.OK],
  'a value of 65 KiB': [{ 'x-large': 'x'.repeat(65 * 1024) }, status.RESOURCE_EXHAUSTED],
  '100 KiB in ten values': [many(10, 'x'.repeat(10 * 1024)), status.RESOURCE_EXHAUSTED],
  '140 headers, more than Node itself would read': [many(140), status.OK],
  '170 headers': [many(170), status.RESOURCE_EXHAUSTED],
  '2,000 headers': [many(2000), status.RESOURCE_EXHAUSTED],
};

function many(count: number, value = 'x'): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, value]));
}

describe('a server that is sent', () => {
  let server: TestServer;
  let handled = 0;
  before(async () => {
    const orders = emptyOrders({
      async getOrder() {
        handled++;
        return { order: undefined };
      },
    });
    server = await startServer([bind(Orders, orders)]);
  });
  after(() => server?.[Symbol.asyncDispose]());

  for (const [what, [metadata, expected]] of Object.entries(METADATA)) {
    it(`${what} answers ${status[expected]} without a reset`, async () => {
      const before = handled;
      const message = frame(Buffer.from([0x0a, 1, 0x78])); // order_id: "x"
      const answer = await rawCall(server.address, { ':path': Orders.getOrder.path, ...metadata }, message);
      assert.deepEqual([answer.grpcStatus, answer.resetCode], [expected, 0], answer.grpcMessage);
      assert.equal(handled - before, expected === status.OK ? 1 : 0);
      if (expected !== status.OK) assert.match(answer.grpcMessage, /^The metadata is too large: send at most /);
    });
  }
});
