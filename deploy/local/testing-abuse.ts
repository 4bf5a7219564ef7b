import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { type ChannelCredentials, Client, credentials } from '@grpc/grpc-js';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { DIRECT_CHANNEL } from '../../services/kit/connect-directly.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { meshCredentials } from '../../services/kit/mesh-credentials.ts';
import type { Attack } from './testing-attacks.ts';
import { leafFor, tlsBy } from './testing-caller.ts';
import { flag, http2Frame, type RawConnection, rawConnection, type } from './testing-frames.ts';
import { sendHttp } from './testing-http.ts';
import { loadWhile } from './testing-load.ts';
import type { TestMesh } from './testing-mesh.ts';
import { peakMemoryOf } from './testing-processes.ts';

/** The ports that take calls: the edge's, a sidecar's, an app's own. */
export type PortName = 'edge' | 'ingress' | 'app';

/** A port that is attacked. */
export interface Port {
  readonly name: PortName;
  readonly address: string;
  /** The process that listens there. */
  readonly pid: number;
  /** Connects as far as frames can be sent: in the mesh by TLS, as the edge does, who may call users. */
  connect(): Duplex;
  /** An ordinary caller of the same port, on a connection of its own. */
  caller(): Caller;
  /** What its process has counted so far, by name; what it has not counted yet is not there. */
  counters(): Promise<Map<string, number>>;
}

/** Somebody who has an ordinary question. */
export interface Caller extends Disposable {
  /** Asks for a user; rejects when there is no good answer within five seconds. */
  ask(): Promise<unknown>;
}

/** The three ports of a mesh, each of a process of its own. */
export async function portsOf(mesh: TestMesh): Promise<Port[]> {
  const [edge, first, second] = [...mesh.pods('edge'), ...mesh.pods('users')];
  const authority = await mesh.authority();
  const tls = { ...tlsBy(await leafFor('edge', authority), authority.certificate), ALPNProtocols: ['h2'] };
  const inMesh = meshCredentials(mesh.identityFolder('edge'))('users');
  const port = (
    name: PortName,
    pod: typeof edge,
    container: string,
    number: number,
    stats: [port: number, path: string],
  ): Port => {
    const host = pod?.address ?? '';
    const address = `${host}:${number}`;
    const secured = name === 'ingress';
    return {
      name,
      address,
      pid: pod?.containers.find(each => each.name === container)?.pid ?? 0,
      connect: () => (secured ? connectTls({ ...tls, host, port: number }) : connect(number, host)),
      caller: () => callerOf(address, secured ? inMesh : credentials.createInsecure()),
      counters: async () => readCounters((await sendHttp(`${host}:${stats[0]}`, { path: stats[1] })).text),
    };
  };
  return [
    port('edge', edge, 'envoy', Number(mesh.edge.split(':')[1]), [15000, '/stats']),
    port('ingress', first, 'envoy', 50051, [15000, '/stats']),
    port('app', second, 'app', 50052, [9464, '/metrics']),
  ];
}

function callerOf(address: string, by: ChannelCredentials): Caller {
  const client = new Client(address, by, {
    'grpc.use_local_subchannel_pool': 1,
    ...DIRECT_CHANNEL,
    'grpc.ssl_target_name_override': 'mesh', // who answers is known by its identity, not by its address
  });
  const { path, requestSerialize, responseDeserialize } = UserServiceService.getUser;
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        const options = { deadline: deadlineIn(5000) };
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { id: 123 }, options, (error, answer) =>
          error ? reject(error) : resolve(answer),
        );
      }),
    [Symbol.dispose]: () => client.close(),
  };
}

/** Envoy's lines ("name: 1"), a listener that others reach by its name instead of its address, and those of Prometheus ("name 1"). */
function readCounters(text: string): Map<string, number> {
  const rows = text.matchAll(/^([^#\s].*?):? (\d+)$/gm);
  return new Map(
    [...rows].map(([, name = '', value]) => [
      name.replace(/^listener\.[\d.]+_(8080|50051)\./, (_, port) => `listener.${port === '8080' ? 'edge' : 'ingress'}.`),
      Number(value),
    ]),
  );
}

/** What came of attacks. */
export interface Harm {
  /** How many connections of an attack the peer has closed. */
  closed(attack: Attack): number;
  /** The calls of bystanders that failed, and how many there were. */
  readonly lost: readonly string[];
  readonly bystanders: number;
  /** By how much the process was larger, at most, than before. */
  readonly grownMb: number;
  /** By how much a counter rose. */
  rose(counter: string): number;
}

/** How long frames are sent, in milliseconds. */
const ATTACK_MS = 10_000;

/**
 * Attacks a port, while 20 ordinary calls a second are made to it, until each connection that is to be closed is, or `patienceMs`
 * have passed since all was sent.
 */
export async function attackPort(port: Port, attacks: readonly Attack[], patienceMs: number): Promise<Harm> {
  using caller = port.caller();
  await caller.ask();
  const before = await port.counters();
  writeFileSync(`/proc/${port.pid}/clear_refs`, '5'); // the peak is measured from here: proc_pid_clear_refs(5)
  const startBytes = peakMemoryOf(port.pid);
  const made = new Map(
    attacks.map(attack => {
      const count = attack.connections ?? 1;
      return [attack, Array.from({ length: count }, () => rawConnection(port.connect, attack.reads))];
    }),
  );
  const during = Promise.all(
    [...made].map(([attack, connections]) =>
      assault(connections, attack, typeof attack.outcome[port.name] === 'string' ? patienceMs : 0),
    ),
  );
  const load = await loadWhile(during, 20, () => caller.ask());
  const grownMb = (peakMemoryOf(port.pid) - startBytes) / 1e6;
  const after = await port.counters();
  const closed = new Map([...made].map(([attack, all]) => [attack, all.filter(each => each.isClosed()).length]));
  for (const connection of [...made.values()].flat()) connection[Symbol.dispose]();
  return {
    closed: attack => closed.get(attack) ?? 0,
    lost: load.failures.map(({ message }) => message),
    bystanders: load.calls,
    grownMb,
    rose: counter => (after.get(counter) ?? 0) - (before.get(counter) ?? 0),
  };
}

async function assault(connections: RawConnection[], attack: Attack, patienceMs: number): Promise<void> {
  const over = new AbortController();
  const pause = (ms: number) => wait(ms, undefined, { signal: over.signal }).catch(() => {});
  const stop = Date.now() + ATTACK_MS;
  const send = async (connection: RawConnection) => {
    for (const bytes of attack.send()) {
      if (Date.now() > stop || !(await connection.write(bytes))) break;
      await new Promise(setImmediate); // the attackers must leave their own process time for the bystanders
    }
  };
  await Promise.race([Promise.all(connections.map(send)), pause(ATTACK_MS)]);
  if (attack.reads === false) {
    // who does not read learns only by writing that it is over
    for (
      const end = Date.now() + patienceMs;
      Date.now() < end && !connections.every(each => each.isClosed());
      await pause(250)
    ) {
      for (const connection of connections) await connection.write(http2Frame(type.unknown, flag.none, 0));
    }
    for (const connection of connections) connection.read();
  }
  await Promise.race([Promise.all(connections.map(({ closed }) => closed)), pause(patienceMs)]);
  over.abort();
}
