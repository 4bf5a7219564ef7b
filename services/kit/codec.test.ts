import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GetOrderRequest } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { limitedDecoder, pad, paddedEncoder, strictDecoder, TooLong } from './codec.ts';

const decode = strictDecoder(bytes => GetOrderRequest.decode(bytes));
const encoded = (text: Buffer) => Buffer.concat([Buffer.from([0x0a, text.length]), text]);

describe('strictDecoder', () => {
  it('decodes what is right, also text beyond ASCII and a byte order mark', () => {
    for (const orderId of ['', 'o-1', 'Ærøskøbing', '🧵', '\uFEFFx', '\uFFFD']) {
      assert.deepEqual(decode(encoded(Buffer.from(orderId))), { orderId });
    }
  });

  it('marks invalid UTF-8, where the plain decoder puts a replacement character', () => {
    for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
      assert.ok(!decode(encoded(Buffer.from(bytes))).orderId.isWellFormed());
      assert.match(GetOrderRequest.decode(encoded(Buffer.from(bytes))).orderId, /\uFFFD/);
    }
  });

  it('throws for bytes that are no message', () => {
    assert.throws(() => decode(Buffer.from([0x0a, 0x7f, 0x00])));
  });
});

describe('limitedDecoder', () => {
  it('decodes a message of the most bytes, and none that is longer', () => {
    const limited = limitedDecoder(decode, 5);
    assert.deepEqual(limited(encoded(Buffer.from('o-1'))), { orderId: 'o-1' });
    assert.deepEqual(limited(encoded(Buffer.from('o-12'))), new TooLong(6, 5));
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
