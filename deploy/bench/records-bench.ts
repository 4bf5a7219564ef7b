// What the record of a marked call costs it: `make bench-records`. A real users and a real lab, each in a process of its own. Marked
// calls, calls without a mark, and calls with as much metadata that is no mark take turns at one rate, far below what users can do.
import { setTimeout as wait } from 'node:timers/promises';
import type { Metadata } from '@grpc/grpc-js';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { createClient } from '../../services/kit/client.ts';
import { connectDirectly } from '../../services/kit/connect-directly.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { quantile, sum } from '../../services/lab/measure/statistics.ts';
import { type LoadResult, latencyMs, loadWhile } from '../local/testing-load.ts';
import { benchOptions, printRows, takeTurns } from './bench-options.ts';
import { cpuUs } from './process-cpu.ts';
import { startService } from './service-process.ts';

connectDirectly();

const RATE = 500;
const WARM_UP_MS = 3000;
/** How long what is left of the records of a turn takes to be sent, in milliseconds. */
const SENT_MS = 150;

interface Arm {
  readonly name: string;
  /** What its calls carry; `n` is another one each time. */
  readonly metadata: (n: number) => Metadata;
}

/** What the calls of one turn took: from when each was due, and CPU microseconds of users for all of them. */
interface Turn extends Pick<LoadResult, 'answers'> {
  readonly cpuUs: number;
}

// Short turns: what slows the machine down lasts longer, and slows the three of a round.
const { rounds, ms, json } = benchOptions(
  'bench-records',
  'What the record of a marked call costs it, and its way to the lab.',
  { rounds: 300, ms: 200 },
);
await using lab = await startService('lab', folder => ({ TELLTALE_DATA_DIR: folder }));
await using users = await startService('users', () => ({ TELLTALE_RECORDS_TO: 'lab', TELLTALE_EGRESS: lab.address }));
using client = createClient(UserServiceService, { address: users.address });

const mark = (n: number) => `deadlines-20260101-000000-0000/bench/1/${n}`;
const unmarked: Arm = { name: 'not marked', metadata: () => scriptMetadata([]) };
const noted: Arm = {
  name: 'with as much metadata',
  metadata: n => {
    const metadata = scriptMetadata([]);
    metadata.set('telltale-ran', mark(n)); // a name as long as that of the mark
    return metadata;
  },
};
const marked: Arm = { name: 'marked', metadata: n => scriptMetadata([], mark(n)) };
const arms = [unmarked, noted, marked];

let calls = 0;
let marks = 0;
for (const arm of arms) await load(arm, WARM_UP_MS);
const turns = await takeTurns(arms, rounds, takeTurn);
const turnsOf = (arm: Arm) => turns.get(arm) ?? [];
const dropped = await droppedRecords();
const rows = arms.map(arm => {
  const all = allOf(turnsOf(arm));
  const ratios = turnsOf(arm).map((turn, round) => latencyMs(turn, 0.5) / latencyMs(turnsOf(unmarked)[round] ?? turn, 0.5));
  const [q1, q2, q3] = [0.25, 0.5, 0.75].map(q => fixed(quantile(ratios, q)));
  return {
    calls: arm.name,
    'p50 ms': fixed(latencyMs(all, 0.5)),
    'p99 ms': fixed(latencyMs(all, 0.99)),
    'p50 ratio by round (quartiles)': `${q2} (${q1} to ${q3})`,
    'CPU µs of users per call': Math.round(all.cpuUs / all.answers.length),
    'records dropped': arm === marked ? `${dropped} of ${marks}` : '',
    n: turnsOf(arm).length,
  };
});
printRows(rows, json, { rate: RATE, ms });

async function takeTurn(arm: Arm): Promise<Turn> {
  const before = cpuUs([users.pid]);
  const { calls, failures, answers } = await load(arm, ms);
  if (failures.length > 0) throw new Error(`${failures.length} of ${calls} calls failed: ${failures[0]?.message}`);
  await wait(SENT_MS);
  return { answers, cpuUs: cpuUs([users.pid]) - before };
}

function allOf(turns: readonly Turn[]): Turn {
  return { answers: turns.flatMap(({ answers }) => answers), cpuUs: sum(turns.map(({ cpuUs }) => cpuUs)) };
}

function load(arm: Arm, forMs: number) {
  return loadWhile(wait(forMs), RATE, () => {
    if (arm === marked) marks++;
    const n = calls++;
    return client.getUser({ id: 1 + (n % 10_000) }, { deadline: deadlineIn(5000), metadata: arm.metadata(n) });
  });
}

async function droppedRecords(): Promise<number> {
  const metrics = await (await fetch(`http://${users.metrics}/metrics`)).text();
  return Number(/^telltale_records_dropped_total(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1] ?? Number.NaN);
}

function fixed(value: number): number {
  return Number(value.toFixed(3));
}
