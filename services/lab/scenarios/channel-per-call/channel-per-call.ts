import { deadlineIn } from '../../../kit/deadline.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, decimals, inEvery, observe, ratio } from '../../checks.ts';
import { followConnections } from '../../connections.ts';
import { cpuUs, loadCounter } from '../../measure/load-counter.ts';
import { median, percent } from '../../measure/statistics.ts';
import { tcpSegments } from '../../measure/tcp-segments.ts';
import type { Mesh } from '../../mesh.ts';
import { loadParameters } from '../../parameters.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { description } from './description.ts';
import { figures, figuresOf } from './figures.ts';

/** A deadline that does not matter, in milliseconds. */
const AMPLE_MS = 5000;
/** A connection for each call is one for this share of the calls, at least; a shared one, for this share at most. */
const [LEAST_OWN, MOST_SHARED] = [0.99, 0.1];
/** A channel for each call costs the caller this many times the CPU, at least. */
const LEAST_CPU = 1.3;

const parameters = loadParameters({ rate: 100, seconds: 3, repetitions: 3 });

type GetUser = Mesh['users']['getUser'];

const arm = armBy(async ({ mesh, load }: Bench<typeof parameters>, getUserBy: (mesh: Mesh) => GetUser) => {
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
});

/** Makes each call on a channel that is made for it and closed after it. */
const byAnother =
  ({ usersByAnother }: Mesh): GetUser =>
  async (request, options) => {
    using users = usersByAnother();
    return await users.getUser(request, options);
  };

/** What the design guide's own sample costs: it makes a channel, makes one call, and closes the channel. */
export const scenario = defineScenario({
  name: 'channel-per-call',
  claim: {
    says: 'Channels are to be reused: one for each call opens a connection each time, and costs its caller more CPU and time',
    by: 'gRPC documentation, guides/performance ("Always re-use stubs and channels when possible")',
  },
  describe: description,
  parameters,
  quick: { local: { rate: 100 } },
  figures,
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
      test: arms => observe`${all(inEvery(arms, 'answered'))}`,
    },
  ],
});
