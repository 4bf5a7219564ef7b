import { deadlineIn } from '../../../kit/deadline.ts';
import type { CallPicture } from '../../call-picture.ts';
import { all, atLeast, atMost, exactly, observe } from '../../checks.ts';
import { countConnections, type FollowedConnections, followConnections, mostAtOnce } from '../../connections.ts';
import { loadCounter } from '../../measure/load-counter.ts';
import { median, percent, quantile, RESOLUTION, share, spread } from '../../measure/statistics.ts';
import { tcpSegments } from '../../measure/tcp-segments.ts';
import type { Mesh } from '../../mesh.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { type Arm, defineScenario } from '../../scenario.ts';
import { createHttp1Users, type Http1Users } from './http1-users.ts';

/** A deadline that does not matter, in milliseconds. */
const AMPLE_MS = 20_000;
/** Calls that take turns are answered in time this much less often than those on one connection of gRPC, at least. */
const LEAST_GAIN = 5;
/** The most TCP segments per call on one shared connection, as a share of those on a connection for each call. */
const MOST_SEGMENTS = 0.8;
/** The most connections from proxy to proxy, as a share of the calls that they have at once. */
const MOST_ONWARD = 0.1;

const parameters = {
  ...loadParameters({ rate: 400, seconds: 1, repetitions: 2, arrivals: 'burst' }),
  rate: integer({ title: 'Calls begun per second, in a burst all at once', unit: 'calls/s', default: 400, min: 10, max: 400 }),
  work: integer({ title: 'How long users takes', unit: 'ms', default: 2000, min: 1, max: 4000 }),
  patience: integer({ title: 'How long callers wait', unit: 'ms', default: 6000, min: 100, max: 10_000 }),
};

type Figure = 'answered' | 'p50' | 'p99' | 'asked' | 'atOnce' | 'connections' | 'onward' | 'arrived' | 'segments';

const arm = <const Name extends string>(
  name: Name,
  title: string,
  connect: (mesh: Mesh) => Http1Users,
  allAnswered: boolean,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run({ parameters: { rate, work, patience }, mesh, signal, load }) {
    using users = connect(mesh);
    // the warm-up: no arm's connections are opened by calls that count
    const opening = { deadline: deadlineIn(AMPLE_MS), signal };
    await Promise.all(Array.from({ length: rate }, () => users.getUser({ id: 1 }, opening)));
    const followed = followConnections();
    const counter = loadCounter({ segments: tcpSegments });
    const pictures = await load({
      warmUp: false,
      hops: allAnswered ? ['GetUser'] : [], // what has not had its turn has been nowhere
      call: ({ n, id, metadata }) => {
        const steps = [{ service: 'users', waitMs: work }];
        const options = { deadline: deadlineIn(patience), signal, metadata: metadata(steps), onMetadata: followed.note(id) };
        return counter.during(n === 0, () => users.getUser({ id: 1 }, options));
      },
    });
    return figuresOf(pictures, followed, { asked: rate, segments: counter.grown().segments });
  },
});

const http1 = <const Name extends string>(name: Name, title: string, maxSockets: number, allAnswered: boolean) =>
  arm(name, title, ({ ways }) => createHttp1Users(ways.wide, maxSockets), allAnswered);

/** The figures of one repetition: of bursts of so many calls, the connections that they came by, and the TCP segments of all hops. */
export function figuresOf(
  pictures: readonly CallPicture[],
  { connections, onward, arrived }: Omit<FollowedConnections, 'note'>,
  { asked, segments }: { readonly asked: number; readonly segments: number },
): Record<Figure, number> {
  const waits = pictures.map(({ dueAt, endedAt }) => endedAt - dueAt);
  return {
    asked,
    onward: countConnections(pictures, onward),
    arrived: countConnections(pictures, arrived),
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
    question: 'A caller needs four hundred answers at once: how many has it in time, and over how many connections?',
    method:
      'Four hundred calls of GetUser begin in the same moment; users takes so long that all of them are under way together, and ' +
      'callers wait three times as long. In one arm gRPC makes them on the one connection of its channel. In the others they go by ' +
      'HTTP/1.1, which carries one call at a time: over as many connections as there are calls, over six as browsers do, and over ' +
      'one. It is the same message to the same pods by the same proxies, of which the first speaks both, and takes as many calls ' +
      'on one connection as come. All connections are open before the calls that count.',
    reading:
      'Connections are counted on the whole way: those of the caller, and those from its proxy to the proxies of users, once as ' +
      'the one end numbers them and once as the other does. Envoy goes on by HTTP/2 whatever has come, so four hundred connections ' +
      'become a few there; not one, because each carries 100 calls at most, and users has two pods. How many calls one connection of ' +
      'the caller had at once is counted where they were served. With a connection for each call HTTP/1.1 waits for nobody either; ' +
      'which of the two is then faster is a matter of CPU, not of multiplexing, and in Node HTTP/1.1 takes less of it for small ' +
      'calls: without proxies several times less. See the CPU of the lab in each arm.',
    limits: [
      'More calls at once than one connection may carry: those wait in the caller, as `stream-cap` shows.',
      'Packet loss, which on one connection delays all calls, and on many only some.',
      'JSON: HTTP/1.1 here carries the same Protocol Buffers, so that only the protocol differs.',
      'TCP segments are counted by the kernel for all of a pod, locally for all of the machine: what else goes on adds to them.',
    ],
  },
  parameters,
  figures: {
    answered: { title: 'Calls answered in time', unit: 'share' },
    p50: { title: 'Answered or given up after, median', unit: 'ms', latency: true },
    p99: { title: 'Answered or given up after, p99', unit: 'ms', latency: true },
    asked: { title: 'Calls begun at once', unit: 'calls' },
    atOnce: { title: 'Calls at once on one connection, most', unit: 'calls' },
    connections: { title: 'Connections of the caller', unit: '' },
    onward: { title: 'Connections from its proxy on', unit: '' },
    arrived: { title: 'The same, as the proxies of users count', unit: '' },
    segments: { title: 'TCP segments per call, all hops', unit: '' },
  },
  arms: [
    arm('multiplexed', 'gRPC on one connection', mesh => mesh.usersByWide(), true),
    http1('socket-each', 'HTTP/1.1, a connection for each call', Infinity, true),
  ],
  controls: [
    http1('six-sockets', 'HTTP/1.1 on six connections', 6, false),
    http1('one-socket', 'HTTP/1.1 on one connection', 1, false),
  ],
  headline: { figure: 'answered', arm: 'multiplexed', control: 'one-socket' },
  checks: [
    {
      says: 'gRPC has all calls of a burst under way at once on 1 connection; HTTP/1.1 never has 2 on one',
      test: ({ multiplexed: { atOnce, asked, connections }, ...http1 }) => {
        const theirs = Math.max(...Object.values(http1).flatMap(({ atOnce }) => atOnce));
        const least = atLeast(Math.max(...asked), atOnce, String);
        return observe`${least} on ${exactly(1, Math.max(...connections))}; ${exactly(1, theirs)}`;
      },
    },
    {
      says: 'HTTP/1.1 takes as many connections as a burst has calls, at least, to have all under way at once',
      test: ({ 'socket-each': { connections, asked } }) =>
        observe`${atLeast(Math.max(...asked), connections, String)} to ${String(Math.max(...connections))}`,
    },
    {
      says: 'With these, and with the one of gRPC, every call is answered in time',
      test: ({ multiplexed, 'socket-each': each }) => observe`${all(multiplexed.answered, each.answered)}`,
    },
    {
      says: `HTTP/1.1 on six connections answers fewer in time, and on one at most 1 for ${LEAST_GAIN} that gRPC does`,
      test: ({ multiplexed, 'six-sockets': six, 'one-socket': one }) => {
        const [ours, some, few] = [median(multiplexed.answered), median(six.answered), median(one.answered)];
        const passed = some < ours && few < some && few * LEAST_GAIN <= ours;
        return { passed, observed: `${percent(some)} and ${percent(few)} of them, gRPC ${percent(ours)}` };
      },
    },
    {
      says: `Proxies agree on the connections between them, which are ${percent(MOST_ONWARD)} of the calls at most, however many the caller has`,
      test: ({ multiplexed, 'socket-each': each }) => {
        const onward = [...multiplexed.onward, ...each.onward];
        const arrived = [...multiplexed.arrived, ...each.arrived];
        const most = atMost(MOST_ONWARD * Math.max(...each.asked), onward, String);
        const { passed, observed } = observe`${atLeast(1, onward, String)} to ${most}`;
        return { passed: passed && onward.join() === arrived.join(), observed };
      },
    },
    {
      says: `gRPC takes ${percent(MOST_SEGMENTS)} of the TCP segments of a connection for each call at most, where least disturbed`,
      test: ({ multiplexed, 'socket-each': each }) =>
        // what else goes on meanwhile only adds to the count
        observe`${atMost(MOST_SEGMENTS, Math.min(...multiplexed.segments) / Math.min(...each.segments))}`,
    },
  ],
  depends: ({ multiplexed, 'socket-each': each }) => {
    const [ours, theirs] = [median(multiplexed.p99), median(each.p99)];
    const least = Math.max(RESOLUTION * ours, spread(multiplexed.p99), spread(each.p99));
    if (!(ours - theirs > least)) return undefined; // as far as can be told here, they are alike
    return (
      `on how many connections HTTP/1.1 may have; with ${median(each.connections)} it has answered 99 of 100 calls after ` +
      `${theirs.toFixed(0)} ms, gRPC on one after ${ours.toFixed(0)} ms`
    );
  },
});
