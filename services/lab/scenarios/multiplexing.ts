import { deadlineIn } from '../../kit/deadline.ts';
import type { CallPicture } from '../call-picture.ts';
import { type Connections, countConnections, followConnections, mostAtOnce } from '../connections.ts';
import type { Http1Users } from '../http1-users.ts';
import { loadCounter } from '../measure/load-counter.ts';
import { median, percent, quantile, share } from '../measure/statistics.ts';
import { tcpSegments } from '../measure/tcp-segments.ts';
import type { Mesh } from '../mesh.ts';
import { integer, loadParameters } from '../parameters.ts';
import { type Arm, defineScenario } from '../scenario.ts';

/** A deadline that does not matter, in milliseconds: calls that take turns on one connection are to end, too. */
const AMPLE_MS = 20_000;
/** A shared connection carries this many calls at the same time, at least. */
const LEAST_AT_ONCE = 10;
/** Calls that take turns on one connection wait this many times as long, at least. */
const LEAST_GAIN = 5;
/** The most TCP segments per call on one shared connection, as a share of those on a connection for each call. */
const MOST_SEGMENTS = 0.8;

const parameters = {
  ...loadParameters({ rate: 100, seconds: 2, repetitions: 3, arrivals: 'burst' }),
  rate: integer({ title: 'Calls begun per second, in a burst all at once', unit: 'calls/s', default: 100, min: 1, max: 400 }),
  work: integer({ title: 'How long users takes', unit: 'ms', default: 20, min: 1, max: 200 }),
};

type Figure = 'p50' | 'p99' | 'connections' | 'atOnce' | 'segments' | 'answered';

const arm = <const Name extends string>(
  name: Name,
  title: string,
  connect: (mesh: Mesh) => Http1Users,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run({ parameters: { rate, work }, mesh, signal, load }) {
    using users = connect(mesh);
    const limits = () => ({ deadline: deadlineIn(AMPLE_MS), signal });
    // so that no arm's connections are opened by calls that count
    await Promise.all(Array.from({ length: rate }, () => users.getUser({ id: 1 }, limits())));
    const { connections, note } = followConnections();
    const counter = loadCounter({ segments: tcpSegments });
    const pictures = await load({
      hops: ['GetUser'],
      call: ({ n, id, metadata }) => {
        const steps = [{ service: 'users', waitMs: work }];
        const options = { ...limits(), metadata: metadata(steps), onMetadata: note(id) };
        return counter.during(n === 0, () => users.getUser({ id: 1 }, options));
      },
    });
    return figuresOf(pictures, connections, counter.grown().segments);
  },
});

const http1 = <const Name extends string>(name: Name, title: string, maxSockets: number) =>
  arm(name, title, mesh => mesh.usersByHttp1(maxSockets));

/** The figures of one repetition: by which connection each call came, by its id, and how many TCP segments all of them took. */
export function figuresOf(
  pictures: readonly CallPicture[],
  connections: Connections,
  segments: number,
): Record<Figure, number> {
  const waits = pictures.map(({ dueAt, endedAt }) => endedAt - dueAt);
  return {
    p50: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
    connections: countConnections(pictures, connections),
    atOnce: mostAtOnce(pictures, connections, 'GetUser'),
    segments: segments / pictures.length,
    answered: share(pictures, ({ status }) => status === 'OK'),
  };
}

/** Many calls on one connection at the same time, and what a protocol that has one at a time needs instead. */
export const scenario = defineScenario({
  name: 'multiplexing',
  claim: {
    says: 'Many calls share one connection at the same time, and none waits until another has been answered',
    by: 'RFC 9113 (HTTP/2), section 1; the design guide that this project comes from',
  },
  describe: {
    question: 'A caller needs a hundred answers at once: when has it all of them, and over how many connections?',
    method:
      'A hundred calls of GetUser begin in the same moment, again every second; users takes a little for each. In one arm gRPC ' +
      'makes them on the one connection of its channel. In the others they go by HTTP/1.1, which carries one call at a time: over ' +
      'one connection, over six as browsers do, and over as many as there are calls. It is the same message to the same pods by ' +
      'the same proxies, of which the first speaks both. All connections are open before the calls that count.',
    reading:
      'The figures are the time from when a call was due until it was answered, with the wait for a free connection. How many ' +
      'calls a connection had at once is counted where they were served. TCP segments are those of all hops, of which only the ' +
      'first differs. With a connection for each call HTTP/1.1 waits for nobody either; which of the two is then faster is a ' +
      'matter of CPU, not of multiplexing, and in Node HTTP/1.1 takes less of it for small calls: without proxies several times ' +
      'less. See the CPU of the lab in each arm.',
    limits: [
      'More calls at once than one connection may carry (100 here): those wait in the caller.',
      'Packet loss, which on one connection delays all calls, and on many only some.',
      'JSON: HTTP/1.1 here carries the same Protocol Buffers, so that only the protocol differs.',
      'TCP segments are counted by the kernel for all of a pod, locally for all of the machine: what else goes on adds to them.',
    ],
  },
  parameters,
  figures: {
    p50: { title: 'Answered after, median', unit: 'ms' },
    p99: { title: 'Answered after, p99', unit: 'ms' },
    connections: { title: 'Connections', unit: '' },
    atOnce: { title: 'Calls at once on one, most', unit: 'calls' },
    segments: { title: 'TCP segments per call, all hops', unit: '' },
    answered: { title: 'Calls answered', unit: 'share' },
  },
  arms: [
    arm('multiplexed', 'gRPC on one connection', ({ users: { getUser } }) => ({ getUser, [Symbol.dispose]() {} })),
    http1('socket-each', 'HTTP/1.1, a connection for each call', Infinity),
  ],
  controls: [http1('six-sockets', 'HTTP/1.1 on six connections', 6), http1('one-socket', 'HTTP/1.1 on one connection', 1)],
  headline: { figure: 'p99', arm: 'multiplexed', control: 'one-socket' },
  checks: [
    {
      says: `gRPC has all calls on 1 connection, ${LEAST_AT_ONCE} at once at least; HTTP/1.1 never has 2 on one`,
      test: ({ multiplexed, ...http1 }) => {
        const [most, least] = [Math.max(...multiplexed.connections), Math.min(...multiplexed.atOnce)];
        const theirs = Math.max(...Object.values(http1).flatMap(({ atOnce }) => atOnce));
        const passed = most === 1 && least >= LEAST_AT_ONCE && theirs === 1;
        return { passed, observed: `${least} on ${most}; ${theirs}` };
      },
    },
    {
      says: `On one connection of HTTP/1.1, 99 of 100 calls wait up to ${LEAST_GAIN} times as long as on one of gRPC, at least`,
      test: ({ multiplexed, 'one-socket': one }) => {
        const gain = median(one.p99) / median(multiplexed.p99);
        return { passed: gain >= LEAST_GAIN, observed: `${gain.toFixed(1)} times` };
      },
    },
    {
      says: `HTTP/1.1 is faster the more connections it has, and needs ${LEAST_AT_ONCE} at least where no call waits`,
      test: ({ 'one-socket': one, 'six-sockets': six, 'socket-each': each }) => {
        const waits = [one, six, each].map(({ p99 }) => median(p99));
        const [a = 0, b = 0, c = 0] = waits;
        const sockets = Math.min(...each.connections);
        const observed = `${waits.map(ms => ms.toFixed(0)).join(', ')} ms; ${sockets}`;
        return { passed: a > b && b > c && sockets >= LEAST_AT_ONCE, observed };
      },
    },
    {
      says: `gRPC takes ${percent(MOST_SEGMENTS)} of the TCP segments of a connection for each call at most, where least disturbed`,
      test: ({ multiplexed, 'socket-each': each }) => {
        // what else goes on meanwhile only adds to the count
        const ratio = Math.min(...multiplexed.segments) / Math.min(...each.segments);
        return { passed: ratio <= MOST_SEGMENTS, observed: percent(ratio) };
      },
    },
    {
      says: 'Every call in every arm is answered',
      test: arms => {
        const least = Math.min(...Object.values(arms).flatMap(({ answered }) => answered));
        return { passed: least === 1, observed: percent(least) };
      },
    },
  ],
  depends: ({ multiplexed, 'socket-each': each }) => {
    const [ours, theirs] = [median(multiplexed.p99), median(each.p99)];
    if (ours <= theirs) return undefined;
    return (
      `on how many connections HTTP/1.1 may have; with ${median(each.connections)} it has answered 99 of 100 calls after ` +
      `${theirs.toFixed(0)} ms, gRPC on one after ${ours.toFixed(0)} ms`
    );
  },
});
