import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import {
  type ServiceDefinition as GrpcDefinition,
  Server,
  ServerCredentials,
  type ServerInterceptingCall,
  type ServerReadableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import {
  type CreateOrderRequest,
  GetOrderRequest,
  ImportOrdersRequest,
  OrderServiceService as Orders,
} from '../../proto/gen/telltale/orders/v1/orders.ts';
import { bind } from './server.ts';
import { strictFraming } from './strict-framing.ts';
import { emptyOrders, ORDER, startServer, type TestServer } from './testing.ts';
import { frame, rawCall } from './testing-raw-call.ts';

const { OK, INTERNAL, UNIMPLEMENTED } = status;
const order = Buffer.from(GetOrderRequest.encode({ orderId: 'o-1' }).finish());
const imported = Buffer.from(ImportOrdersRequest.encode({ order: ORDER satisfies CreateOrderRequest }).finish());

type Sent = [headers: Record<string, string>, body: (message: Buffer) => Buffer];

/** What is sent, what is answered, and what grpc-js alone would answer. */
const rows: Record<string, [sent: Sent, code: status, alone: status]> = {
  'a plain message': [[{}, frame], OK, OK],
  'a compressed message': [[{ 'grpc-encoding': 'gzip' }, message => frame(gzipSync(message), 1)], OK, OK],
  'a plain message in a request with an encoding': [[{ 'grpc-encoding': 'gzip' }, frame], OK, OK],
  'a flag of 2': [[{}, message => frame(message, 2)], INTERNAL, OK],
  'a flag of 1 without an encoding': [[{}, message => frame(message, 1)], INTERNAL, OK],
  'a flag of 1 with the encoding identity': [[{ 'grpc-encoding': 'identity' }, message => frame(message, 1)], INTERNAL, OK],
  'gzip that is none': [[{ 'grpc-encoding': 'gzip' }, message => frame(message, 1)], INTERNAL, INTERNAL],
  'an encoding that nobody reads': [[{ 'grpc-encoding': 'br' }, message => frame(message, 1)], UNIMPLEMENTED, UNIMPLEMENTED],
  'an encoding that nobody reads and a plain message': [[{ 'grpc-encoding': 'br' }, frame], UNIMPLEMENTED, OK],
  'two encodings and a plain message': [[{ 'grpc-encoding': 'gzip, br' }, frame], UNIMPLEMENTED, OK],
  'two bytes after the message': [[{}, message => Buffer.concat([frame(message), Buffer.alloc(2)])], INTERNAL, OK],
};

describe('strictFraming', () => {
  let served: string[] = [];
  let strict: TestServer;
  let plain: Server;
  let alone: string;
  before(async () => {
    const handlers = emptyOrders({
      getOrder: () => ({ order: undefined, served: served.push('getOrder') }),
      async importOrders(requests) {
        let storedCount = 0;
        for await (const _request of requests) storedCount++;
        served.push('importOrders');
        return { storedCount, duplicateCount: 0 };
      },
    });
    strict = await startServer([bind(Orders, handlers)]);
    plain = new Server();
    const { getOrder, importOrders } = Orders;
    plain.addService({ getOrder, importOrders } as unknown as GrpcDefinition, {
      getOrder: (_call: unknown, callback: sendUnaryData<object>) => callback(null, {}),
      importOrders: (call: ServerReadableStream<object, object>, callback: sendUnaryData<object>) =>
        call.resume().once('end', () => callback(null, { storedCount: 0, duplicateCount: 0 })),
    });
    alone = `127.0.0.1:${await promisify(plain.bindAsync.bind(plain))('127.0.0.1:0', ServerCredentials.createInsecure())}`;
  });
  after(async () => {
    plain.forceShutdown();
    await strict[Symbol.asyncDispose]();
  });

  for (const [what, [[headers, body], code, codeAlone]] of Object.entries(rows)) {
    for (const [{ path }, message] of [[Orders.getOrder, order] as const, [Orders.importOrders, imported] as const]) {
      it(`answers ${what} to ${path} with ${status[code]}, and its handler ends well only then`, async () => {
        served = [];
        const answer = await rawCall(strict.address, { ':path': path, ...headers }, body(message));
        assert.equal(answer.grpcStatus, code, answer.grpcMessage);
        assert.equal(served.length, code === OK ? 1 : 0);
        const encodings = code === UNIMPLEMENTED ? 'identity,gzip,deflate' : undefined;
        if (code !== OK) assert.equal(answer.headers['grpc-accept-encoding'], encodings);
      });

      it(`answers ${what} to ${path} with ${status[codeAlone]} where it is not, the control`, async () => {
        const answer = await rawCall(alone, { ':path': path, ...headers }, body(message));
        assert.equal(answer.grpcStatus, codeAlone, answer.grpcMessage);
      });
    }
  }

  it('refuses a grpc-js that has no such members', () => {
    assert.throws(() => strictFraming({} as never, {} as ServerInterceptingCall), /adapt strict-framing\.ts/);
  });
});
