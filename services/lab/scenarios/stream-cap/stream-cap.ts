import { deadlineIn } from '../../../kit/deadline.ts';
import type { Bench } from '../../bench.ts';
import { all, atLeast, atMost, decimals, exactly, inEvery, observe, ratio } from '../../checks.ts';
import { followConnections } from '../../connections.ts';
import { median, percent } from '../../measure/statistics.ts';
import { integer, loadParameters, type Values } from '../../parameters.ts';
import { armBy, defineScenario } from '../../scenario.ts';
import { description } from './description.ts';
import { figures, figuresOf } from './figures.ts';
import { gate } from './gate.ts';

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

/** How many connections an arm has, and how many calls its caller begins at once. */
type Way = (values: Values<typeof parameters>) => { readonly channels: number; readonly limit?: number };

const arm = armBy(async ({ parameters: values, mesh, load }: Bench<typeof parameters>, way: Way) => {
  const { channels, limit = Infinity } = way(values);
  using open = new DisposableStack();
  const users = Array.from({ length: channels }, () => open.use(mesh.usersByAnother()));
  const pass = gate(limit);
  const { connections, note } = followConnections();
  const pictures = await load({
    hops: ['GetUser'],
    call: ({ n, id, signal, metadata }) => {
      const steps = [{ service: 'users', waitMs: values.work }];
      const options = { deadline: deadlineIn(values.budget), signal, metadata: metadata(steps), onMetadata: note(id) };
      return pass(async () => users[n % users.length]?.getUser({ id: 1 }, options));
    },
  });
  return figuresOf(pictures, connections, values);
});

/** A connection carries only so many calls; what waits for a place waits where neither side sees it. */
export const scenario = defineScenario({
  name: 'stream-cap',
  claim: {
    says: 'Calls beyond what one connection may carry queue in the client: use several channels, or know the limit',
    by: 'gRPC documentation, guides/performance ("… HTTP/2 connections have a limit on the number of concurrent streams …")',
  },
  describe: description,
  parameters,
  quick: { local: { rate: 300, work: 700 } },
  figures,
  arms: [
    arm('spread', 'several connections', ({ connections: channels }) => ({ channels })),
    arm('known-limit', 'one connection, and a caller that begins no more than it carries', ({ cap: limit }) => ({
      channels: 1,
      limit,
    })),
  ],
  controls: [arm('one-connection', 'one connection, and a caller that does not care', () => ({ channels: 1 }))],
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
      test: arms => observe`${all(inEvery(arms, 'answered'))}`,
    },
  ],
});
