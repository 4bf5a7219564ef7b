import { deadlineIn } from '../../../kit/deadline.ts';
import { type CallPicture, hopsOf } from '../../call-picture.ts';
import { all, atLeast, atMost, decimals, exactly, observe, ratio } from '../../checks.ts';
import { type Connections, countConnections, followConnections, mostAtOnce } from '../../connections.ts';
import { median, percent, quantile, share } from '../../measure/statistics.ts';
import { integer, loadParameters, type Values } from '../../parameters.ts';
import { type Arm, defineScenario } from '../../scenario.ts';

/** Where calls wait unseen, the callee believes that the caller waits this much longer than it does, at least, in milliseconds. */
const LEAST_STALE_MS = 100;
/** Where they do not, it is wrong by this share of that, at most. */
const MOST_STALE = 0.5;
/** What the callee takes for a call is at most this many times what was asked of it, also where its caller waits. */
const MOST_SERVED = 1.5;
/** And its caller waits this many times as long, at least. */
const LEAST_WAITED = 1.3;
/** One connection carries this many times what its caller knows of, at most: the hops do not count in quite the same moments. */
const MOST_OVER = 1.1;

const parameters = {
  ...loadParameters({ rate: 300, seconds: 2, repetitions: 3 }),
  rate: integer({ title: 'Calls begun per second', unit: 'calls/s', default: 300, min: 1, max: 500 }),
  work: integer({ title: 'How long users takes', unit: 'ms', default: 500, min: 200, max: 1000 }),
  budget: integer({ title: 'The deadline of each call', unit: 'ms', default: 8000, min: 2000, max: 9000 }),
  connections: integer({ title: 'Connections where there are several', unit: '', default: 4, min: 2, max: 10 }),
  cap: integer({ title: 'Calls on a connection at once, as the caller knows', unit: 'calls', default: 100, min: 1, max: 1000 }),
};

type Figure = 'waited' | 'served' | 'stale' | 'atOnce' | 'connections' | 'answered';

/** The values of this scenario's parameters. */
type Settings = Values<typeof parameters>;

const arm = <const Name extends string>(
  name: Name,
  title: string,
  channels: (values: Settings) => number,
  limitOf: (values: Settings) => number = () => Infinity,
): Arm<typeof parameters, Figure, Name> => ({
  name,
  title,
  async run({ parameters: values, mesh, load }) {
    const { work, budget } = values;
    using open = new DisposableStack();
    const users = Array.from({ length: channels(values) }, () => open.use(mesh.usersByAnother()));
    const pass = gate(limitOf(values));
    const { connections, note } = followConnections();
    const pictures = await load({
      hops: ['GetUser'],
      call: ({ n, id, signal, metadata }) => {
        const steps = [{ service: 'users', waitMs: work }];
        const options = { deadline: deadlineIn(budget), signal, metadata: metadata(steps), onMetadata: note(id) };
        return pass(async () => users[n % users.length]?.getUser({ id: 1 }, options));
      },
    });
    return figuresOf(pictures, connections, values);
  },
});

/** Lets at most so many calls be under way; the others wait here in their order, where the caller can count them. */
function gate(limit: number): <Answer>(call: () => Promise<Answer>) => Promise<Answer> {
  const waiting: (() => void)[] = [];
  let free = limit;
  return async call => {
    if (free > 0) free--;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

/** The figures of one repetition of calls of `budget` milliseconds, for each of which users was told to take `work`. */
export function figuresOf(
  pictures: readonly CallPicture[],
  connections: Connections,
  { work, budget }: { readonly work: number; readonly budget: number },
): Record<Figure, number> {
  const served = pictures.flatMap(picture => hopsOf(picture, 'GetUser').map(hop => ({ ...hop, begunAt: picture.begunAt })));
  const p99 = (values: readonly number[]) => quantile(values, 0.99);
  return {
    stale: p99(served.map(({ arrivedAt, budgetMs = Infinity, begunAt }) => arrivedAt + budgetMs - (begunAt + budget))),
    waited: p99(pictures.map(({ dueAt, endedAt }) => endedAt - dueAt)) / work,
    served: p99(served.map(({ arrivedAt, endedAt }) => endedAt - arrivedAt)) / work,
    connections: countConnections(pictures, connections),
    atOnce: mostAtOnce(pictures, connections, 'GetUser'),
    answered: share(pictures, ({ status }) => status === 'OK'),
  };
}

/** A connection carries only so many calls; what waits for a place waits where neither side sees it. */
export const scenario = defineScenario({
  name: 'stream-cap',
  claim: {
    says: 'Calls beyond what one connection may carry queue in the client: use several channels, or know the limit',
    by: 'gRPC documentation, guides/performance ("… HTTP/2 connections have a limit on the number of concurrent streams …")',
  },
  describe: {
    question: 'Where do calls wait that one connection cannot carry, and who knows of it?',
    method:
      'More calls of GetUser are begun than one connection may carry at a time (SETTINGS_MAX_CONCURRENT_STREAMS, 100 here), each ' +
      'with the same deadline. In the control one channel gets them all. In one arm they are shared out to several channels, each ' +
      'with a connection of its own; in the other the caller knows the limit and lets calls wait before it begins them.',
    reading:
      'grpc-timeout is written when a call is begun, and the call then waits within the HTTP/2 client: the callee believes in a ' +
      'deadline that is later than its caller’s by this wait, and that is the first figure. What a call takes is given in ' +
      'multiples of what users was told to take: “by the callee” is what its dashboards show, “by the caller” is what the caller ' +
      'waits. A caller that knows the limit is not faster, but what it sends is true, and it can refuse or shed what waits.',
    limits: [
      'Limits that change while a connection is open.',
      'Proxies that open a second connection by themselves, as Envoy does for its own calls; grpc-js does not.',
      'Clocks of different nodes are compared in a cluster of several; on one machine there is one clock.',
    ],
  },
  parameters,
  figures: {
    stale: { title: 'Deadline by the callee later than the caller’s, p99', unit: 'ms', latency: true },
    waited: { title: 'Call by the caller, p99, in multiples of the work', unit: '', latency: true },
    served: { title: 'Call by the callee, p99, in multiples of the work', unit: '' },
    connections: { title: 'Connections', unit: '' },
    atOnce: { title: 'Calls at once on one, most', unit: 'calls' },
    answered: { title: 'Calls answered', unit: 'share' },
  },
  arms: [
    arm('spread', 'several connections', ({ connections }) => connections),
    arm(
      'known-limit',
      'one connection, and a caller that begins no more than it carries',
      () => 1,
      ({ cap }) => cap,
    ),
  ],
  controls: [arm('one-connection', 'one connection, and a caller that does not care', () => 1)],
  headline: { figure: 'stale', arm: 'known-limit', control: 'one-connection' },
  checks: [
    {
      says: `On one connection the callee believes in a deadline ${LEAST_STALE_MS} ms too late at least; else in ${percent(MOST_STALE)} of that at most`,
      test: ({ spread, 'known-limit': known, 'one-connection': one }) => {
        const late = median(one.stale);
        const most = atMost(MOST_STALE * late, [median(spread.stale), median(known.stale)], decimals(0));
        return observe`${atLeast(LEAST_STALE_MS, late, decimals(0))} ms, else ${most} ms`;
      },
    },
    {
      says: `The callee sees nothing of it: a call takes ${MOST_SERVED} times its work at most, and ${LEAST_WAITED} times as long for its caller`,
      test: ({ 'one-connection': one }) => {
        const [served, waited] = [median(one.served), median(one.waited)];
        const longer = atLeast(LEAST_WAITED * served, waited, decimals(2));
        return observe`${atMost(MOST_SERVED, served, decimals(2))} and ${longer} times its work`;
      },
    },
    {
      says: 'Several connections end the wait: the caller waits no longer than half as long again as the callee works',
      test: ({ spread }) => observe`${atMost(MOST_SERVED, ratio(spread.waited, spread.served), decimals(2))} times`,
    },
    {
      says: 'Several connections are more than one, and one carries no more calls at once than the caller who knows the limit begins',
      test: ({ spread, 'known-limit': known, 'one-connection': one }) => {
        const limit = Math.max(...known.atOnce);
        const several = atLeast(2, spread.connections, String);
        const most = atMost(MOST_OVER * limit, one.atOnce, String);
        return observe`${several} against ${exactly(1, Math.max(...one.connections))}; ${most} against ${String(limit)} at once`;
      },
    },
    {
      says: 'Every call in every arm is answered',
      test: arms => observe`${all(...Object.values(arms).map(({ answered }) => answered))}`,
    },
  ],
});
