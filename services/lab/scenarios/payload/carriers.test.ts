import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { LOOPBACK, openByteRelay } from './byte-relay.ts';
import { openCarrier } from './carriers.ts';
import { codecUs, drawnOrder, orderFormat, plainOf } from './order-formats.ts';

const order = drawnOrder('order-1', 7, 20, 1);
const FORMATS = (['json', 'protobuf'] as const).flatMap(name => [orderFormat(name, false), orderFormat(name, true)]);

describe('openByteRelay', () => {
  it('counts every byte of both directions, and cuts what is open when it is disposed of', async () => {
    const echo = createServer({ allowHalfOpen: true }, socket => socket.pipe(socket)).listen(0, LOOPBACK);
    echo.unref(); // a test that fails must not wait for it
    await once(echo, 'listening');
    await using relay = await openByteRelay((echo.address() as AddressInfo).port);
    const [whole, cut] = [0, 1].map(() => connect(relay.port, LOOPBACK));
    whole?.end(Buffer.alloc(100_000));
    assert.equal(whole && (await buffer(whole)).length, 100_000);
    assert.equal(relay.bytes(), 200_000);
    cut?.on('error', () => {});
    if (cut?.connecting) await once(cut, 'connect');
    const closed = cut && once(cut, 'close');
    await relay[Symbol.asyncDispose]();
    await closed;
    echo.close();
  });
});

describe('openCarrier', () => {
  for (const format of FORMATS) {
    it(`${format.name}, ${format.gzip ? 'gzip' : 'plain'}: the server gets the order, and bytes are counted for all of it`, async () => {
      await using carrier = await openCarrier(format);
      const arrived = await carrier.send(order);
      assert.deepEqual('order_id' in arrived ? arrived : plainOf(arrived), plainOf(order));
      const before = carrier.bytes();
      await carrier.send(order);
      const body = format.encoder(order)().length;
      const counted = carrier.bytes() - before;
      assert.ok(counted > body && counted < body + 600, `${counted} counted, ${body} in the body`);
    });
  }
});

describe('openCarrier with gzip', () => {
  for (const name of ['json', 'protobuf'] as const) {
    it(`${name}: less goes over the connection than without`, async () => {
      const counts = await Promise.all(
        [false, true].map(async gzip => {
          await using carrier = await openCarrier(orderFormat(name, gzip));
          await carrier.send(drawnOrder('order-200', 7, 200, 1));
          return carrier.bytes();
        }),
      );
      const [plain = 0, zipped = 0] = counts;
      assert.ok(zipped < 0.8 * plain, `${zipped} of ${plain}`);
    });
  }
});

describe('order formats', () => {
  it('draw the same order for the same seed, and another for another', () => {
    assert.deepEqual(drawnOrder('order-1', 7, 20, 1), order);
    assert.notDeepEqual(drawnOrder('order-1', 7, 20, 2).lines, order.lines);
  });

  it('are undone by their decoders, take time, and are no smaller for gzip where there is nothing to repeat', () => {
    for (const format of FORMATS) {
      const decoded = format.decode(format.encoder(order)());
      assert.deepEqual('order_id' in decoded ? decoded : plainOf(decoded), plainOf(order));
      assert.ok(codecUs(format, order) > 0);
    }
    const sizes = [false, true].map(gzip => orderFormat('protobuf', gzip).encoder(drawnOrder('o', 7, 1, 1))().length);
    assert.ok((sizes[1] ?? 0) > (sizes[0] ?? 0));
  });
});
