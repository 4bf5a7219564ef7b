import { deadlineIn } from '../../../kit/deadline.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, exactly, inEvery, observe } from '../../checks.ts';
import { followConnections } from '../../connections.ts';
import { loadCounter } from '../../measure/load-counter.ts';
import { median, percent, RESOLUTION, spread } from '../../measure/statistics.ts';
import { tcpSegments } from '../../measure/tcp-segments.ts';
import type { Mesh } from '../../mesh.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { description } from './description.ts';
import { figures, figuresOf } from './figures.ts';
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

interface Way {
  readonly connect: (mesh: Mesh) => Http1Users;
  readonly allAnswered: boolean;
}

const http1 =
  (maxSockets: number) =>
  ({ ways }: Mesh) =>
    createHttp1Users(ways.wide, maxSockets);

const arm = armBy(async (bench: Bench<typeof parameters>, { connect, allAnswered }: Way) => {
  const { rate, work, patience } = bench.parameters;
  const { mesh, signal, load } = bench;
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
});

/** Many calls on one connection at the same time, and what a protocol that has one at a time needs instead. */
export const scenario = defineScenario({
  name: 'multiplexing',
  claim: {
    says: 'Many calls share one connection at the same time, and none waits until another has been answered',
    by: 'RFC 9113 (HTTP/2), section 1; the design guide that this project comes from',
  },
  describe: description,
  parameters,
  quick: { local: { rate: 200, work: 1200, patience: 3000 } },
  figures,
  arms: [
    arm('multiplexed', 'gRPC on one connection', { connect: mesh => mesh.usersByWide(), allAnswered: true }),
    arm('socket-each', 'HTTP/1.1, a connection for each call', { connect: http1(Infinity), allAnswered: true }),
  ],
  controls: [
    arm('six-sockets', 'HTTP/1.1 on six connections', { connect: http1(6), allAnswered: false }),
    arm('one-socket', 'HTTP/1.1 on one connection', { connect: http1(1), allAnswered: false }),
  ],
  headline: { figure: 'answered', arm: 'multiplexed', control: 'one-socket' },
  checks: [
    {
      says: 'gRPC has all calls of a burst under way at once on 1 connection; HTTP/1.1 never has 2 on one',
      test: ({ multiplexed: { atOnce, asked, connections }, ...http1 }) => {
        const theirs = Math.max(...inEvery(http1, 'atOnce'));
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
