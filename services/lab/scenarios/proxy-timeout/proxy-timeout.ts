import { deadlineIn } from '../../../kit/deadline.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, decimals, none, observe } from '../../checks.ts';
import { percent } from '../../measure/statistics.ts';
import { CHAIN, orderOf } from '../../orders.ts';
import { integer, loadParameters } from '../../parameters.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { description } from './description.ts';
import { figures, figuresOf } from './figures.ts';
import { POLICY, ROUTE_TIMEOUT_MS } from './route-timeout.ts';

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

interface Way {
  /** What payments takes longer than the deadline allows, in milliseconds; absent where it is in time. */
  readonly tooLongMs?: number;
  readonly policy?: string;
}

const arm = armBy(
  async ({ parameters: { budget, work }, mesh, load }: Bench<typeof parameters>, { tooLongMs, policy }: Way) => {
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
);

/** A proxy has a time-out for each call, unless it is told to read the caller's deadline; then it ends calls that were in time. */
export const scenario = defineScenario({
  name: 'proxy-timeout',
  claim: {
    says:
      'A proxy that reads the deadline lets a call have all of it; a proxy with a time-out of its own ends calls that were in time, ' +
      'and no service is the wiser',
    by: 'Envoy documentation, RouteAction.timeout (15 s by default) and MaxStreamDuration.grpc_timeout_header_max',
  },
  describe: description,
  parameters,
  figures,
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
