// What the record of a marked call costs it: `make bench-records`. A real users and a real lab, each in a process of its own; marked
// calls and calls without a mark, otherwise the same, take turns at one rate, far below what users can do.
import { setTimeout as wait } from 'node:timers/promises';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { createClient } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { type LoadResult, latencyMs, loadWhile } from '../local/testing-load.ts';
import { benchOptions, printRows, shuffled, spread, takeRounds } from './bench-options.ts';
import { cpuUs } from './process-cpu.ts';
import { startService } from './service-process.ts';

const RATE = 500;
const WARM_UP_MS = 3000;
/** How long one arm is called before the other is, and how long what is left of its records takes to be sent, in milliseconds. */
const SLICE_MS = 1000;
const SENT_MS = 500;

interface Arm {
  readonly name: string;
  readonly marked: boolean;
}

/** What a call took in one round: milliseconds, and CPU microseconds of users. */
interface Turn {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: number;
}

const { rounds, ms, json } = benchOptions(
  'bench-records',
  'What the record of a marked call costs it, its line of log and its way to the lab.',
  { rounds: 5, ms: 10_000 },
);
await using lab = await startService('lab', folder => ({ TELLTALE_DATA_DIR: folder }));
await using users = await startService('users', () => ({ TELLTALE_RECORDS_TO: 'lab', TELLTALE_EGRESS: lab.address }));
using client = createClient(UserServiceService, { address: users.address });

let calls = 0;
let marks = 0;
const ask = (marked: boolean) => () => {
  const metadata = scriptMetadata([], marked ? `deadlines-20260101-000000-0000/bench/1/${marks++}` : undefined);
  return client.getUser({ id: 1 + (calls++ % 10_000) }, { deadline: deadlineIn(5000), metadata });
};
const arms: readonly Arm[] = [
  { name: 'not marked', marked: false },
  { name: 'marked', marked: true },
];
for (const { marked } of arms) await loadWhile(wait(WARM_UP_MS), RATE, ask(marked));
const turns = await takeRounds(arms, rounds, takeRound);
const plain = turns.get(arms[0] as Arm) ?? [];
const dropped = await droppedRecords();
const rows = arms.map(arm => {
  const its = turns.get(arm) ?? [];
  // of the same round: what slows the machine down slows both
  const ratio = (of: (turn: Turn) => number) => spread(its.map((turn, round) => of(turn) / of(plain[round] ?? turn)));
  const [p50, p99] = [ratio(({ p50Ms }) => p50Ms), ratio(({ p99Ms }) => p99Ms)];
  return {
    calls: arm.name,
    'p50 ms': fixed(spread(its.map(({ p50Ms }) => p50Ms)).median),
    'p99 ms': fixed(spread(its.map(({ p99Ms }) => p99Ms)).median),
    'p50 ratio': `${fixed(p50.median)} (${fixed(p50.from)} to ${fixed(p50.to)})`,
    'p99 ratio': `${fixed(p99.median)} (${fixed(p99.from)} to ${fixed(p99.to)})`,
    'CPU µs of users per call': fixed(spread(its.map(({ cpuUs }) => cpuUs)).median),
    'records dropped': arm.marked ? `${dropped} of ${marks}` : '',
    n: its.length,
  };
});
printRows(rows, json, { rate: RATE, ms });

/** One round: both in turn, in random order, for a second each, until each has had `ms` milliseconds. */
async function takeRound(): Promise<Map<Arm, Turn>> {
  const taken = arms.map(arm => ({ arm, answers: [] as LoadResult['answers'], cpuUs: 0 }));
  for (let slice = 0; slice < Math.ceil(ms / SLICE_MS); slice++)
    for (const own of shuffled(taken)) {
      const before = cpuUs([users.pid]);
      const { calls, failures, answers } = await loadWhile(wait(SLICE_MS), RATE, ask(own.arm.marked));
      if (failures.length > 0) throw new Error(`${failures.length} of ${calls} calls failed: ${failures[0]?.message}`);
      await wait(SENT_MS);
      own.cpuUs += cpuUs([users.pid]) - before;
      own.answers.push(...answers);
    }
  return new Map(
    taken.map(({ arm, answers, cpuUs }) => [
      arm,
      { p50Ms: latencyMs({ answers }, 0.5), p99Ms: latencyMs({ answers }, 0.99), cpuUs: cpuUs / answers.length },
    ]),
  );
}

async function droppedRecords(): Promise<number> {
  const metrics = await (await fetch(`http://${users.metrics}/metrics`)).text();
  return Number(/^telltale_records_dropped_total(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1] ?? Number.NaN);
}

function fixed(value: number): number {
  return Number(value.toFixed(3));
}
