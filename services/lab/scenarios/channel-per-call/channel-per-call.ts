import { deadlineIn } from '../../../kit/deadline.ts';
import type { CallPicture } from '../../call-picture.ts';
import { all, atLeast, atMost, decimals, observe, ratio } from '../../checks.ts';
import { type Connections, countConnections, followConnections } from '../../connections.ts';
import { cpuUs, loadCounter } from '../../measure/load-counter.ts';
import { median, percent, quantile, share } from '../../measure/statistics.ts';
import { tcpSegments } from '../../measure/tcp-segments.ts';
import type { Mesh } from '../../mesh.ts';
import { loadParameters } from '../../parameters.ts';
import { type Arm, defineScenario } from '../../scenario.ts';

/** A deadline that does not matter, in milliseconds. */
const AMPLE_MS = 5000;
/** A connection for each call is one for this share of the calls, at least; a shared one, for this share at most. */
const [LEAST_OWN, MOST_SHARED] = [0.99, 0.1];
/** A channel for each call costs the caller this many times the CPU, at least. */
const LEAST_CPU = 1.3;

const parameters = loadParameters({ rate: 100, seconds: 3, repetitions: 3 });

type Figure = 'connections' | 'cpu' | 'p50' | 'p99' | 'segments' | 'answered';
type GetUser = Mesh['users']['getUser'];

const arm = <const Name extends string>(
  name: Name,
  title: string,
  getUserBy: (mesh: Mesh) => GetUser,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run({ mesh, load }) {
    const getUser = getUserBy(mesh);
    const { connections, note } = followConnections();
    const counter = loadCounter({ cpu: cpuUs, segments: tcpSegments });
    const pictures = await load({
      hops: ['GetUser'],
      call: ({ n, id, signal, metadata }) => {
        const options = { deadline: deadlineIn(AMPLE_MS), signal, metadata: metadata(), onMetadata: note(id) };
        return counter.during(n === 0, () => getUser({ id: 123 }, options));
      },
    });
    return figuresOf(pictures, connections, counter.grown());
  },
});

/** Makes each call on a channel that is made for it and closed after it. */
const byAnother =
  ({ usersByAnother }: Mesh): GetUser =>
  async (request, options) => {
    using users = usersByAnother();
    return await users.getUser(request, options);
  };

/** The figures of one repetition, and of what the load took: CPU of the caller in microseconds, and TCP segments. */
export function figuresOf(
  pictures: readonly CallPicture[],
  connections: Connections,
  { cpu, segments }: { readonly cpu: number; readonly segments: number },
): Record<Figure, number> {
  const waits = pictures.map(({ dueAt, endedAt }) => endedAt - dueAt);
  return {
    cpu: cpu / pictures.length,
    p50: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
    connections: countConnections(pictures, connections) / pictures.length,
    segments: segments / pictures.length,
    answered: share(pictures, ({ status }) => status === 'OK'),
  };
}

/** What the design guide's own sample costs: it makes a channel, makes one call, and closes the channel. */
export const scenario = defineScenario({
  name: 'channel-per-call',
  claim: {
    says: 'Channels are to be reused: one for each call opens a connection each time, and costs its caller more CPU and time',
    by: 'gRPC documentation, guides/performance ("Always re-use stubs and channels when possible")',
  },
  describe: {
    question: 'What does the sample of the design guide pay that makes a channel for every call?',
    method:
      'GetUser of user 123, as in the sample, at the same rate in both arms: on one channel that is always there, and, as in the ' +
      'sample, on a channel that is made for the call and closed after it. With its last channel grpc-js closes the connection, ' +
      'so that each call opens one.',
    reading:
      'The CPU is that of the caller, per call, with everything it does meanwhile: the more calls a second, the more of it is of ' +
      'the calls, and the nearer the ratio of the arms is to that of the calls alone. The connection is one of plain TCP to the ' +
      'sidecar next door, the cheapest there is: with TLS, or over a network, each new one costs round trips and a handshake ' +
      'besides.',
    limits: [
      'TLS and networks, which make new connections dearer.',
      'What many connections that come and go cost the other side: the sidecar here takes them, not the service.',
      'Other clients than grpc-js; the sample is in Python, whose channels are those of the core in C.',
      'Calls that overlap: channels with equal options that are open at the same time share a connection; here each has its own.',
      'TCP segments are counted by the kernel for all of a pod, locally for all of the machine: they are shown, not checked.',
    ],
  },
  parameters,
  figures: {
    connections: { title: 'Connections per call', unit: '' },
    cpu: { title: 'CPU of the caller per call', unit: 'µs' },
    p50: { title: 'Answered after, median', unit: 'ms', latency: true },
    p99: { title: 'Answered after, p99', unit: 'ms', latency: true },
    segments: { title: 'TCP segments per call, all hops', unit: '' },
    answered: { title: 'Calls answered', unit: 'share' },
  },
  arms: [arm('reused', 'one channel for all calls', ({ users }) => users.getUser)],
  controls: [arm('per-call', 'a channel for each call, as in the sample', byAnother)],
  headline: { figure: 'connections', arm: 'reused', control: 'per-call' },
  checks: [
    {
      says: `In the control each call has a connection of its own, in ${percent(LEAST_OWN)} at least; else they share one`,
      test: ({ reused, 'per-call': own }) => {
        const [least, most] = [
          atLeast(LEAST_OWN, own.connections, decimals(2)),
          atMost(MOST_SHARED, reused.connections, decimals(2)),
        ];
        return observe`${least} connections per call, ${most} with one channel`;
      },
    },
    {
      says: `A channel for each call costs the caller ${LEAST_CPU} times the CPU at least`,
      test: ({ reused, 'per-call': own }) => observe`${atLeast(LEAST_CPU, ratio(own.cpu, reused.cpu), decimals(1))} times`,
    },
    {
      says: 'A call that waits for its connection is answered later',
      test: ({ reused, 'per-call': own }) => {
        const later = median(own.p50) - median(reused.p50);
        return { passed: later > 0, observed: `by ${later.toFixed(1)} ms in the median` };
      },
    },
    {
      says: 'Every call in every arm is answered',
      test: arms => observe`${all(...Object.values(arms).map(({ answered }) => answered))}`,
    },
  ],
});
