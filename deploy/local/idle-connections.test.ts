import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { createClient } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { meshCredentials } from '../../services/kit/mesh-credentials.ts';
import { type Port, type PortName, portsOf } from './testing-abuse.ts';
import { hello, message, open } from './testing-attacks.ts';
import { flag, http2Frame, type RawConnection, rawConnection, type, uint32 } from './testing-frames.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

/** What one Envoy accepts: limits.connections. */
const CONNECTIONS = 1000;
/** Within which a new caller is answered, in milliseconds. */
const PATIENCE_MS = 5000;
/** How long the call lasts that is under way, in milliseconds; users' own limit is 10 s. */
const UNDER_WAY_MS = 7000;

interface Hoard {
  readonly title: string;
  /** What is sent on each connection. */
  readonly send: Uint8Array;
  readonly reads: boolean;
  /** What counts the connections that were closed, by port; a port that is not named does not take such connections. */
  readonly counters: Partial<Record<PortName, readonly string[]>>;
}

const closed = (name: PortName) =>
  ['idle_timeout', 'overload_disable_keepalive'].map(each => `http.${name}.downstream_cx_${each}`);
/** At an ingress those, too, whose handshake takes long because there are so many. */
const slow = 'listener.ingress.downstream_cx_transport_socket_connect_timeout';
const idle = { edge: closed('edge'), ingress: [...closed('ingress'), slow] };
const call = Buffer.concat([open(1), message(1)]);
const noWindow = http2Frame(type.settings, flag.none, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]));

const hoards: readonly Hoard[] = [
  {
    title: 'HTTP/1.1 connections that made one request',
    send: Buffer.from('GET /api/users/123 HTTP/1.1\r\nhost: x\r\n\r\n'),
    reads: true,
    counters: { edge: idle.edge },
  },
  { title: 'HTTP/2 connections that made one call', send: Buffer.concat([hello, call]), reads: true, counters: idle },
  { title: 'HTTP/2 connections that never read', send: Buffer.concat([hello, call]), reads: false, counters: idle },
  { title: 'HTTP/2 connections without a call', send: hello, reads: true, counters: idle },
  {
    title: 'HTTP/2 connections that leave no window for an answer',
    send: Buffer.concat([hello, noWindow, call]),
    reads: true,
    counters: idle,
  },
  {
    title: 'connections that say nothing',
    send: Buffer.alloc(0),
    reads: true,
    counters: { edge: ['listener.edge.downstream_pre_cx_timeout'], ingress: idle.ingress },
  },
];

describe(`${CONNECTIONS} connections of one caller that do nothing`, () => {
  let mesh: TestMesh;
  let ports: Port[];
  before(async () => {
    mesh = await startTestMesh();
    ports = (await portsOf(mesh)).filter(({ name }) => name !== 'app');
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  /** A call that takes so long, on a connection that was there before. */
  function longCall({ name, address }: Port): Disposable & { answer: Promise<unknown> } {
    const credentials = name === 'ingress' ? meshCredentials(mesh.identityFolder('edge'))('users') : undefined;
    const client = createClient(Users, { address, ownConnection: true, ...(credentials && { credentials }) });
    const metadata = scriptMetadata([{ service: 'users', waitMs: UNDER_WAY_MS }]);
    const answer = client.getUser({ id: 123 }, { deadline: deadlineIn(2 * UNDER_WAY_MS), metadata });
    answer.catch(() => {});
    return { answer, [Symbol.dispose]: () => client[Symbol.dispose]() };
  }

  for (const hoard of hoards) {
    for (const name of Object.keys(hoard.counters) as PortName[]) {
      it(`${hoard.title}, at the ${name}: a new caller is answered, a call under way ends well`, async t => {
        const port = ports.find(each => each.name === name) as Port;
        const counted = async () => {
          const all = await port.counters();
          return (hoard.counters[name] ?? []).reduce((sum, counter) => sum + (all.get(counter) ?? 0), 0);
        };
        assert.ok((await firstAnswer(port)) < PATIENCE_MS, 'nobody is answered to begin with');
        const before = await counted();
        using underWay = longCall(port);
        await wait(200); // until it is
        const connections = await connectAll(port, hoard);
        try {
          const tookMs = await firstAnswer(port);
          t.diagnostic(`a new caller was answered after ${tookMs.toFixed(0)} ms`);
          assert.ok(tookMs < PATIENCE_MS);
          await underWay.answer;
          const rose = (await counted()) - before;
          assert.ok(rose >= CONNECTIONS / 2, `${hoard.counters[name]} rose by ${rose}`);
        } finally {
          for (const connection of connections) connection[Symbol.dispose]();
        }
        assert.ok(await emptied(port), 'the connections are still there');
      });
    }
  }
});

async function connectAll(port: Port, { send, reads }: Hoard): Promise<RawConnection[]> {
  const connections: RawConnection[] = [];
  while (connections.length < CONNECTIONS) {
    const some = Array.from({ length: 50 }, () => rawConnection(port.connect, reads));
    connections.push(...some);
    await Promise.all(some.map(each => each.write(send)));
    await new Promise(setImmediate);
  }
  return connections;
}

/** How long it takes until somebody who had no connection is answered, in milliseconds. */
async function firstAnswer(port: Port): Promise<number> {
  const start = performance.now();
  const took = () => performance.now() - start;
  while (took() < 2 * PATIENCE_MS) {
    using caller = port.caller();
    if (
      await Promise.race([
        caller.ask().then(
          () => true,
          () => false,
        ),
        wait(1000, false),
      ])
    )
      return took();
    await wait(50);
  }
  return Number.POSITIVE_INFINITY;
}

/** Whether the port gets rid of them, so that the next test begins with none. */
async function emptied({ counters, name }: Port): Promise<boolean> {
  for (const giveUp = Date.now() + 10_000; Date.now() < giveUp; await wait(100)) {
    if (((await counters()).get(`listener.${name}.downstream_cx_active`) ?? 0) < CONNECTIONS / 10) return true;
  }
  return false;
}
