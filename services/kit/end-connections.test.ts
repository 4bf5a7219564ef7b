import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, createServer } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { endConnections, type Patience } from './end-connections.ts';
import { metrics } from './metrics.ts';

const HELLO = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from('000000040000000000', 'hex')]);
/** A HEADERS frame that says that more follows, with one header. */
const HALF_HEADERS = Buffer.from('000001010000000001' + '82', 'hex');

const count = async (reason: string): Promise<number> => {
  const { values } = await metrics.server.connectionsClosed.get();
  return values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
};

/** Connects to a server with this patience, sends these bytes and nothing more; whether it was closed within a second, and why. */
async function outcome(
  bytes: Uint8Array,
  patience: Partial<Patience>,
): Promise<{ closed: boolean; handshake: number; silent: number }> {
  const server = createServer();
  endConnections(server, { handshakeMs: 60_000, pingEveryMs: 60_000, pingTimeoutMs: 60_000, ...patience });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const before = { handshake: await count('handshake'), silent: await count('silent') };
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    .on('error', () => {})
    .resume();
  if (bytes.length > 0) socket.write(bytes);
  const giveUp = new AbortController();
  const closed = await Promise.race([once(socket, 'close').then(() => true), wait(1000, false, { signal: giveUp.signal })]);
  giveUp.abort();
  socket.destroy();
  server.close();
  return { closed, handshake: (await count('handshake')) - before.handshake, silent: (await count('silent')) - before.silent };
}

describe('endConnections', () => {
  const soon = { pingEveryMs: 50, pingTimeoutMs: 50 };

  it('ends a connection that says nothing, or only half of the first bytes, and counts it', async () => {
    for (const bytes of [Buffer.alloc(0), HELLO.subarray(0, 10)]) {
      assert.deepEqual(await outcome(bytes, { handshakeMs: 50 }), { closed: true, handshake: 1, silent: 0 });
      assert.deepEqual(await outcome(bytes, {}), { closed: false, handshake: 0, silent: 0 }); // the control
    }
  });

  it('ends a connection that does not answer pings, also in the middle of headers or of a frame, and counts it', async () => {
    for (const rest of [Buffer.alloc(0), HALF_HEADERS, HALF_HEADERS.subarray(0, 5)]) {
      const bytes = Buffer.concat([HELLO, rest]);
      assert.deepEqual(await outcome(bytes, soon), { closed: true, handshake: 0, silent: 1 });
      assert.deepEqual(await outcome(bytes, {}), { closed: false, handshake: 0, silent: 0 }); // the control
    }
  });

  it('leaves a connection that answers, however long it has nothing to say', async () => {
    const server = createServer();
    endConnections(server, { handshakeMs: 50, ...soon });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    let pings = 0;
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const enough = Promise.withResolvers<void>();
    session.on('ping', () => {
      if (++pings === 5) enough.resolve();
    });
    session.once('close', () => enough.reject(new Error(`closed after ${pings} pings`)));
    await enough.promise;
    session.destroy();
    server.close();
  });
});
