import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { GetOrderRequest, OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { pad, paddedEncoder, strictDecoder, Undecodable } from './codec.ts';
import { bind } from './server.ts';
import { emptyOrders, startServer } from './testing.ts';
import { frame, rawCall } from './testing-raw-call.ts';

const decode = strictDecoder(bytes => GetOrderRequest.decode(bytes));
const encoded = (text: Buffer) => Buffer.concat([Buffer.from([0x0a, text.length]), text]);

describe('strictDecoder', () => {
  it('decodes what is right, also text beyond ASCII and a byte order mark', () => {
    for (const orderId of ['', 'o-1', 'Ærøskøbing', '🧵', '\uFEFFx', '\uFFFD']) {
      assert.deepEqual(decode(encoded(Buffer.from(orderId))), { orderId });
    }
  });

  it('finds invalid UTF-8, where the plain decoder puts a replacement character', () => {
    for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
      assert.ok(decode(encoded(Buffer.from(bytes))) instanceof Undecodable);
      assert.match(GetOrderRequest.decode(encoded(Buffer.from(bytes))).orderId, /\uFFFD/);
    }
  });

  it('throws for bytes that are no message', () => {
    assert.throws(() => decode(Buffer.from([0x0a, 0x7f, 0x00])));
  });
});

describe('a method', () => {
  it('answers invalid UTF-8 with INVALID_ARGUMENT, unary and streaming', async () => {
    await using server = await startServer([bind(Orders, emptyOrders())]);
    for (const method of [Orders.getOrder, Orders.watchOrder, Orders.lookupOrders]) {
      const answer = await rawCall(server.address, { ':path': method.path }, frame(encoded(Buffer.from([0xff]))));
      assert.equal(answer.grpcStatus, status.INVALID_ARGUMENT, method.path);
    }
  });
});

describe('pad', () => {
  it('makes the encoded message longer, and its receiver reads the same', () => {
    const message = { orderId: 'o-1' };
    const encode = paddedEncoder((value: GetOrderRequest) => Buffer.from(GetOrderRequest.encode(value).finish()));
    const plain = encode(message).length;
    pad(message, 1000);
    assert.equal(encode(message).length, plain + 1000 + 3 + 2);
    assert.deepEqual(GetOrderRequest.decode(encode(message)), message);
  });
});
