import { deadlineIn } from '../../../kit/deadline.ts';
import { preciseNow } from '../../../kit/record.ts';
import type { Bench } from '../../bench.ts';
import type { CallPicture } from '../../call-picture.ts';
import { all, atLeast, atMost, decimals, none, observe } from '../../checks.ts';
import type { PodSummary } from '../../control.ts';
import { share } from '../../measure/statistics.ts';
import type { Mesh } from '../../mesh.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { withPods } from '../../rollouts.ts';
import { type Arm, defineScenario } from '../../scenario.ts';
import { directUsers } from './direct-users.ts';
import { podCalls, podShares, type ScaleUp } from './pod-shares.ts';

/** Whose pods are called, and how many there are at first. */
const SERVICE = 'users';
const BASE = 2;
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

type Figure = 'old' | 'after' | 'busiest' | 'served' | 'seconds' | 'answered';

const namesOf = (pods: readonly PodSummary[]) => pods.map(({ name }) => name);

/** A client that calls users in one way. */
type Users = Pick<Mesh['users'], 'getUser'> & Disposable;

const arm = <const Name extends string>(
  name: Name,
  title: string,
  connect: (bench: Bench<typeof parameters>) => Users | Promise<Users>,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  run: bench => {
    const {
      parameters: { rate, pods },
      control,
      signal,
      load,
    } = bench;
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
  },
});

const directly = ({ mesh, control }: Bench<unknown>) => directUsers({ ...mesh.ways, control });

/** The figures of one repetition, of so many calls a second. */
export function figuresOf(pictures: readonly CallPicture[], scaleUp: ScaleUp, rate: number): Record<Figure, number> {
  const shares = podShares(podCalls(pictures, 'GetUser'), scaleUp, rate);
  const busiest = shares.after / scaleUp.all.length;
  return { ...shares, busiest, answered: share(pictures, ({ status }) => status === 'OK') };
}

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
  describe: {
    question: 'A service gets more pods while it is called: who gets the calls?',
    method:
      `users has ${BASE} pods, and is called. Then it gets more, and is called on, by the same channel, once these are ready. In one arm ` +
      'all calls go by one connection to the lab’s own Envoy, which gives them to the pods in turn. In the others the lab calls the pods itself, past ' +
      'its Envoy, by mutual TLS: in turn by a connection to each address that it has got (round_robin), or, as gRPC does by itself, ' +
      'by one connection to the first of them (pick_first). In a cluster it gets the addresses from DNS, and in one more control ' +
      'there is only one, that of a Service which is not headless: there the kernel chooses a pod for the connection. Locally there ' +
      'is neither; the addresses are those that the Kubernetes API says when the channel is opened.',
    reading:
      'How busy the busiest pod is, in times of its share: 1 is even; with one pod for all calls it is the number of pods. A new pod ' +
      'has got its share when half of what would be fair has come to it within a second; where that never happens, the time is all ' +
      'that there was. Round robin in the caller is as even as Envoy over the pods that it knows, and needs no proxy. But grpc-js asks ' +
      'for addresses only when a connection breaks, so that new pods are not found while all is well. Envoy asks DNS every 2 s; how ' +
      'long a new pod waits is mostly how long DNS answers from a cache.',
    limits: [
      'Many callers: an L4 Service spreads their connections by chance, which is even only when there are very many.',
      'Servers that end connections when they are old, after which callers ask DNS again: new pods then get calls that late.',
      'Calls that differ in what they take: taking turns is even in calls, not in work.',
      'Pods that go: the scenario drain.',
      'Locally, DNS: a list of addresses that does not change could not lead to a new pod.',
    ],
  },
  parameters,
  figures: {
    old: { title: 'Busiest of the old pods, in times of its share', unit: '' },
    after: { title: 'Busiest of all pods, in times of its share', unit: '' },
    busiest: { title: 'Calls that it has', unit: 'share' },
    served: { title: 'New pods that get their share', unit: 'share' },
    seconds: { title: 'Until then', unit: 's' },
    answered: { title: 'Calls answered', unit: 'share' },
  },
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
      test: arms => observe`${all(...Object.values(arms).map(({ answered }) => answered))}`,
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
