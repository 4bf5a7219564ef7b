import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { flag, headerBlock, http2Frame, preface, type RawConnection, rawConnection, type } from './testing-frames.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh } from './testing-mesh.ts';

const CONNECTIONS = 400;
const ROUNDS = 60;
/** Of headers, in each round, on each connection: below the limit of 1 MiB to the last round. */
const BLOCK = headerBlock({ a: 'x'.repeat(16_000) });
/** Three quarters of the edge's memory, which its heap may grow to. */
const HEAP_BYTES = 96 * 1024 * 1024;

it('the edge closes connections whose headers never end before they fill its memory', async t => {
  await using mesh = await startTestMesh({ values: ['--set', 'resources.edge.limits.memory=128Mi'] });
  const [host = '', port] = mesh.edge.split(':');
  const heap = async () => {
    const { allocated } = (await sendHttp(`${host}:15000`, { path: '/memory' })).json() as { allocated: string };
    return Number(allocated);
  };
  const connections: RawConnection[] = [];
  let peak = 0;
  try {
    for (let n = 0; n < CONNECTIONS; n++) {
      const connection = rawConnection(() => connect(Number(port), host));
      connections.push(connection);
      await connection.write(Buffer.concat([preface, http2Frame(type.settings, flag.none, 0)]));
      await connection.write(http2Frame(type.headers, flag.none, 1, BLOCK));
    }
    for (let round = 1; round < ROUNDS; round++) {
      await Promise.all(connections.map(connection => connection.write(http2Frame(type.continuation, flag.none, 1, BLOCK))));
      peak = Math.max(peak, await heap());
      await wait(50); // what is monitored is read four times a second
    }
    const closed = connections.filter(connection => connection.isClosed()).length;
    t.diagnostic(`the heap grew to ${(peak / 2 ** 20).toFixed(0)} MiB, ${closed} of ${CONNECTIONS} connections were closed`);
    assert.ok(peak < 1.25 * HEAP_BYTES);
    assert.ok(closed > CONNECTIONS / 2);
  } finally {
    for (const connection of connections) connection[Symbol.dispose]();
  }
  const answers = async () => (await sendHttp(mesh.edge, { path: '/api/users/123' }).catch(() => undefined))?.status === 200;
  for (const giveUp = Date.now() + 5000; !(await answers()); await wait(100))
    assert.ok(Date.now() < giveUp, 'it does not recover');
});
