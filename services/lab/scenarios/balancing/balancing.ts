import { deadlineIn } from '../../../kit/deadline.ts';
import { preciseNow } from '../../../kit/record.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, decimals, inEvery, none, observe } from '../../checks.ts';
import type { PodSummary } from '../../control.ts';
import type { Mesh } from '../../mesh.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { withPods } from '../../rollouts.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { description } from './description.ts';
import { directUsers } from './direct-users.ts';
import { BASE, figures, figuresOf } from './figures.ts';

/** Whose pods are called. */
const SERVICE = 'users';
/** Calls by which a channel opens its connections, while there are no other pods. */
const OPENING_CALLS = 20;
/** A deadline that does not matter, in milliseconds. */
const AMPLE_MS = 5000;
/** The most that the busiest pod may have through Envoy, in times of its share, and the longest that a new pod may wait, in seconds. */
const MOST = 1.2;
const LONGEST_S = 10;
/** The least share of all calls that one pod has when one connection carries them all: of 4 pods, 3 times its share. */
const PINNED = 0.75;

const parameters = {
  ...loadParameters({ rate: 100, seconds: 10, repetitions: 2 }),
  seconds: integer({ title: 'Load of each repetition, once new pods are ready', unit: 's', default: 10, min: 2, max: 20 }),
  pods: integer({ title: `Pods that ${BASE} become`, unit: '', default: 4, min: 3, max: 6 }),
};

/** A client that calls users in one way. */
type Users = Pick<Mesh['users'], 'getUser'> & Disposable;

const namesOf = (pods: readonly PodSummary[]) => pods.map(({ name }) => name);
const directly = ({ mesh, control }: Bench<unknown>) => directUsers({ ...mesh.ways, control });

const arm = armBy((bench: Bench<typeof parameters>, connect: (bench: Bench<unknown>) => Users | Promise<Users>) => {
  const { rate, pods } = bench.parameters;
  const { control, signal, load } = bench;
  return withPods(control, SERVICE, BASE, signal, async base => {
    using users = await connect(bench);
    const limits = () => ({ deadline: deadlineIn(AMPLE_MS), signal });
    for (let n = 0; n < OPENING_CALLS; n++) await users.getUser({ id: 1 }, limits());
    return await withPods(control, SERVICE, pods, signal, async all => {
      const readyAt = preciseNow();
      const pictures = await load({
        hops: ['GetUser'],
        warmUp: false,
        call: ({ n, metadata }) => users.getUser({ id: 1 + (n % 10_000) }, { ...limits(), metadata: metadata() }),
      });
      return figuresOf(pictures, { base: namesOf(base), all: namesOf(all), readyAt }, rate);
    });
  });
});

/** Whether one pod has nearly all calls of each repetition, and no new one its share. */
function pinned({ busiest, served }: Readonly<Record<'busiest' | 'served', readonly number[]>>) {
  return observe`${atLeast(PINNED, busiest)}; ${none(served)} of the new pods`;
}

/** A connection belongs to one pod, and calls to their connection, unless somebody who knows calls spreads them. */
export const scenario = defineScenario({
  name: 'balancing',
  claim: {
    says:
      'A connection keeps all of its calls at one pod, and new pods get none; Envoy gives each pod its share of them, and a new one ' +
      'within seconds',
    by: 'Kubernetes blog, “gRPC Load Balancing on Kubernetes without Tears”; gRPC documentation, guides/custom-load-balancing',
  },
  describe: description,
  parameters,
  // as long as Envoy takes to find new pods: in a cluster by DNS, which answers from a cache for some seconds
  quick: { local: { rate: 100, seconds: 3 }, cluster: { seconds: 8 } },
  replacesPods: true,
  figures,
  arms: [
    arm('envoy', 'one connection to the lab’s Envoy, which takes the pods in turn', ({ mesh }) => ({
      getUser: mesh.users.getUser,
      [Symbol.dispose]() {},
    })),
    arm('round-robin', 'a connection to each address, in turn', bench => directly(bench).toPods('round_robin', bench.signal)),
  ],
  controls: [
    arm('first-address', 'one connection, to the first address', bench => directly(bench).toPods('pick_first', bench.signal)),
  ],
  headline: { figure: 'after', arm: 'envoy', control: 'first-address' },
  checks: [
    {
      says: `Through Envoy, the busiest pod has ${MOST} times its share at most, from when the new ones have theirs`,
      test: ({ envoy }) => observe`${atMost(MOST, envoy.after, decimals(2))}`,
    },
    {
      says: `Through Envoy, every new pod gets its share, within ${LONGEST_S} s`,
      test: ({ envoy }) => observe`${all(envoy.served)}, ${atMost(LONGEST_S, envoy.seconds, decimals(1))} s`,
    },
    {
      says: `By one connection to the first address, one pod has ${100 * PINNED} % of all calls at least, and no new one gets its share`,
      test: ({ 'first-address': first }) => pinned(first),
    },
    {
      says: `By turns in the caller, the busiest of the old pods has ${MOST} times its share at most, and no new one gets its share`,
      test: ({ 'round-robin': turns }) =>
        observe`${atMost(MOST, turns.old, decimals(2))}; ${none(turns.served)} of the new pods`,
    },
    {
      says: 'Every call in every arm is answered',
      test: arms => observe`${all(inEvery(arms, 'answered'))}`,
    },
  ],
  inCluster: {
    because: 'locally there is no kube-proxy, by which a Service has one address',
    controls: [arm('l4-service', 'one connection, to the one address of a Service', bench => directly(bench).toL4Service())],
    checks: [
      {
        says: `By one connection to an L4 Service, one pod has ${100 * PINNED} % of all calls at least, and no new one gets its share`,
        test: ({ 'l4-service': l4 }) => pinned(l4),
      },
    ],
  },
});
