import { deadlineIn, EXPIRY_TOLERANCE_MS } from '../../../kit/deadline.ts';
import { TRANSPORT } from '../../../kit/rpc-error.ts';
import { type CallPicture, hopsOf } from '../../call-picture.ts';
import { all, atLeast, atMost, decimals, none, observe } from '../../checks.ts';
import { percent, quantile, share } from '../../measure/statistics.ts';
import { orderOf } from '../../orders.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { type Arm, defineScenario } from '../../scenario.ts';

/** The hops of PlaceOrder that wait for payments, from the outside in. */
const CHAIN = ['PlaceOrder', 'CreateOrder', 'Charge'] as const;
/** The variant of the proxies' routes that knows no deadline, and its time-out in milliseconds: files/envoy/_routes.yaml. */
const POLICY = 'route-timeout';
const ROUTE_TIMEOUT_MS = 300;
/** The median call ends at most this long after its time, in milliseconds, and this long before: the time until a proxy has it. */
const LATEST_MS = 50;
const EARLIEST_MS = 5;
/**
 * The others are those where a second proxy’s time-out, set a moment later, was faster than the news of the first, so that the hop
 * between them says so: how many depends on how busy the machine is.
 */
const LEAST_BY_PROXY = 0.5;

const parameters = {
  ...loadParameters({ rate: 20, seconds: 3, repetitions: 2 }),
  budget: integer({ title: 'The deadline of each call', unit: 'ms', default: 1500, min: 1250, max: 5000 }),
  work: integer({ title: 'How long payments takes, where it is in time', unit: 'ms', default: 700, min: 500, max: 1000 }),
};

type Figure = 'answered' | 'expired' | 'byProxy' | 'endedP50' | 'lateP50' | 'left';

/** What tells one arm from the other. */
interface Way {
  /** What payments takes longer than the deadline allows, in milliseconds; absent where it is in time. */
  readonly tooLongMs?: number;
  readonly policy?: string;
}

const arm = <const Name extends string>(
  name: Name,
  title: string,
  { tooLongMs, policy }: Way,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run({ parameters: { budget, work }, mesh, load }) {
    const waitMs = tooLongMs === undefined ? work : budget + tooLongMs;
    const steps = [{ service: 'payments', method: 'Charge', waitMs }];
    const pictures = await load({
      hops: CHAIN,
      call: ({ id, signal, metadata }) => {
        const limits = { deadline: deadlineIn(budget), signal, metadata: metadata(steps, policy) };
        return mesh.storefront.placeOrder({ order: orderOf(id) }, limits);
      },
    });
    return figuresOf(pictures, budget);
  },
});

/** The figures of one repetition: of calls that were given `budget` milliseconds. */
export function figuresOf(pictures: readonly CallPicture[], budget: number): Record<Figure, number> {
  const durations = pictures.map(({ begunAt, endedAt }) => endedAt - begunAt);
  const endedP50 = quantile(durations, 0.5);
  return {
    answered: share(pictures, ({ status }) => status === 'OK'),
    expired: share(pictures, ({ status }) => status === 'DEADLINE_EXCEEDED'),
    byProxy: share(pictures, picture => isByProxy(picture, budget)),
    endedP50,
    lateP50: endedP50 - budget,
    left: Math.max(0, budget - endedP50),
  };
}

/** Whether a call was ended between its hops: before its deadline, with the word of no service, and cancelled for each of them. */
function isByProxy(picture: CallPicture, budget: number): boolean {
  const hops = CHAIN.flatMap(method => hopsOf(picture, method));
  const early = picture.endedAt - picture.begunAt < budget - EXPIRY_TOLERANCE_MS;
  return early && picture.reason === TRANSPORT && hops.length > 0 && hops.every(({ status }) => status === 'CANCELLED');
}

/** A proxy has a time-out for each call, unless it is told to read the caller's deadline; then it ends calls that were in time. */
export const scenario = defineScenario({
  name: 'proxy-timeout',
  claim: {
    says:
      'A proxy that reads the deadline lets a call have all of it; a proxy with a time-out of its own ends calls that were in time, ' +
      'and no service is the wiser',
    by: 'Envoy documentation, RouteAction.timeout (15 s by default) and MaxStreamDuration.grpc_timeout_header_max',
  },
  describe: {
    question: 'Who ends a call that takes long: its caller’s deadline, or a proxy on its way, and what is the caller told?',
    method:
      'PlaceOrder goes from storefront to orders to payments, which is told to take long, but less long than the deadline allows. ' +
      'In one arm each Envoy reads the deadline that comes with the call; in another payments takes longer than that. In the ' +
      `control the routes have a time-out of ${ROUTE_TIMEOUT_MS} ms instead, which stands for the 15 s that Envoy gives a route that says nothing.`,
    reading:
      'DEADLINE_EXCEEDED says that the caller’s time is over. With time-outs of their own these proxies say so when it is not: the caller ' +
      'sees what was left of its deadline, and to raise the deadline changes nothing. By default Envoy says UNAVAILABLE instead, which ' +
      'invites callers to repeat what would last as long again. “Ended between the hops” counts calls that no service ended: each was told ' +
      'of a cancellation that its caller never made.',
    limits: [
      'The 15 s themselves: a shorter time-out shows the same sooner.',
      'Streams, which a route’s time-out cuts as well, however lively they are.',
      'Calls without any deadline; the routes of this mesh give them one.',
      'Proxies other than Envoy, and Envoys that answer a time-out with UNAVAILABLE, as they do by default; these are told not to.',
    ],
  },
  parameters,
  figures: {
    answered: { title: 'Answered OK', unit: 'share' },
    expired: { title: 'Caller sees DEADLINE_EXCEEDED', unit: 'share' },
    byProxy: { title: 'Ended between the hops', unit: 'share' },
    endedP50: { title: 'Ended after, median', unit: 'ms', latency: true },
    lateP50: { title: 'Ended after the deadline, median', unit: 'ms', latency: true },
    left: { title: 'Left of the deadline then', unit: 'ms' },
  },
  arms: [
    arm('aware', 'each proxy reads the deadline; payments is in time', {}),
    arm('expired', 'each proxy reads the deadline; payments is not in time', { tooLongMs: 500 }),
  ],
  controls: [arm('fixed', `each route has a time-out of ${ROUTE_TIMEOUT_MS} ms; payments is in time`, { policy: POLICY })],
  headline: { figure: 'answered', arm: 'aware', control: 'fixed' },
  checks: [
    {
      says: 'Where proxies read the deadline, every call that is in time is answered OK',
      test: ({ aware }) => observe`${all(aware.answered)}`,
    },
    {
      says: `There every other call ends with DEADLINE_EXCEEDED, the median call at most ${LATEST_MS} ms after its deadline and ${EARLIEST_MS} ms before it`,
      test: ({ expired: { expired, lateP50 } }) => {
        const [early, late] = [atLeast(-EARLIEST_MS, lateP50, decimals(1)), atMost(LATEST_MS, lateP50, decimals(1))];
        return observe`${all(expired)}, ${early} to ${late} ms after it`;
      },
    },
    {
      says: 'With time-outs of their own proxies let no such call be answered: every caller sees DEADLINE_EXCEEDED, with time left',
      test: ({ fixed: { answered, expired, left } }) => {
        const least = Math.min(...left);
        const { passed, observed } =
          observe`${none(answered)} answered, ${all(expired)} DEADLINE_EXCEEDED with ${least.toFixed(0)} ms left`;
        return { passed: passed && least > 0, observed };
      },
    },
    {
      says: `There the median call ends at the time-out, from ${ROUTE_TIMEOUT_MS - EARLIEST_MS} to ${ROUTE_TIMEOUT_MS + LATEST_MS} ms after its begin`,
      test: ({ fixed: { endedP50 } }) => {
        const first = atLeast(ROUTE_TIMEOUT_MS - EARLIEST_MS, endedP50, decimals(1));
        return observe`${first} to ${atMost(ROUTE_TIMEOUT_MS + LATEST_MS, endedP50, decimals(1))} ms`;
      },
    },
    {
      says: `There a proxy ends the call, and no service, in ${percent(LEAST_BY_PROXY)} of the calls at least; elsewhere in none`,
      test: ({ aware, expired, fixed }) =>
        observe`${atLeast(LEAST_BY_PROXY, fixed.byProxy)} there, ${none(aware.byProxy, expired.byProxy)} elsewhere`,
    },
  ],
});
