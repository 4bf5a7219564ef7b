// What telemetry costs a server: `make bench-telemetry`. Arms take turns in random order; each round starts a process of its own for
// each, so that no arm inherits what another has warmed up.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, cpus } from 'node:os';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { UserRequest, UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';
import { quantile } from '../local/testing-load.ts';
import { loadFor } from './h2-load.ts';

interface Arm {
  readonly name: string;
  readonly made: 'bare' | 'kit' | 'telemetry';
  /** The share of the calls whose parents are sampled, as the edge decides it; without, there is no tracing at all. */
  readonly sampled?: number;
}

const ARMS: readonly Arm[] = [
  { name: 'bare grpc-js', made: 'bare' },
  { name: 'kit', made: 'kit' },
  { name: 'kit, metrics', made: 'telemetry' },
  { name: 'kit, metrics, spans at 0 %', made: 'telemetry', sampled: 0 },
  { name: 'kit, metrics, spans at 10 %', made: 'telemetry', sampled: 0.1 },
  { name: 'kit, metrics, spans at 100 %', made: 'telemetry', sampled: 1 },
];

const CONCURRENCY = 64;
const WARM_UP_MS = 2000;
const CALL = { path: UserServiceService.getUser.path, body: frame(UserRequest.encode({ id: 123 }).finish()) };

/** CPU microseconds per call, and calls a second, of one turn. */
interface Turn {
  readonly cpuUs: number;
  readonly rps: number;
}

async function takeTurn({ made, sampled }: Arm, collector: string, ms: number): Promise<Turn> {
  const call = { ...CALL, sampled };
  const server = fork(new URL('bench-server.ts', import.meta.url), [made], {
    execArgv: ['--import', new URL('../../services/kit/telemetry.ts', import.meta.url).href],
    env: { ...process.env, ...(sampled !== undefined && { OTEL_EXPORTER_OTLP_ENDPOINT: collector }) },
  });
  try {
    const address = `127.0.0.1:${(await once(server, 'message'))[0]}`;
    await loadFor(address, call, CONCURRENCY, WARM_UP_MS);
    const before = await cpuOf(server);
    const calls = await loadFor(address, call, CONCURRENCY, ms);
    return { cpuUs: ((await cpuOf(server)) - before) / calls, rps: (calls * 1000) / ms };
  } finally {
    server.kill('SIGKILL');
  }
}

async function cpuOf(server: ChildProcess): Promise<number> {
  server.send('cpu');
  const [{ user, system }] = (await once(server, 'message')) as [NodeJS.CpuUsage];
  return user + system;
}

/** Takes spans and forgets them. */
async function startCollector(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.end('{}'));
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A whole number, not below `least`; anything else is refused by name. */
function atLeast(least: number): (text: string) => number {
  return text => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < least) throw new InvalidArgumentError(`Write a whole number from ${least}.`);
    return Number(text);
  };
}

const median = (values: readonly number[]) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

const { rounds, ms, json } = new Command('bench-telemetry')
  .description(
    "What telemetry costs a server. CPU per call is what the server's process took, user and system; capacity is what one core of it would do with that.",
  )
  .option('--rounds <n>', 'how often each arm has its turn', atLeast(1), 7)
  .option('--ms <ms>', 'how long each is measured', atLeast(100), 3000)
  .option('--json', 'print the figures as JSON')
  .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2)) // commander has printed what is wrong
  .parse()
  .opts<{ rounds: number; ms: number; json?: true }>();

const collector = await startCollector();
const turns = new Map<Arm, Turn[]>(ARMS.map(arm => [arm, []]));
for (let round = 1; round <= rounds; round++) {
  const order = ARMS.map(arm => ({ arm, at: Math.random() })).sort((a, b) => a.at - b.at);
  for (const { arm } of order) {
    process.stderr.write(`round ${round} of ${rounds}: ${arm.name}\n`);
    turns.get(arm)?.push(await takeTurn(arm, collector, ms));
  }
}

const bare = turns.get(ARMS[0] as Arm) ?? [];
const rows = ARMS.map(arm => {
  const its = turns.get(arm) ?? [];
  // of each round against the same round's bare server: what slows the machine down slows both
  const ratios = its.map(({ cpuUs }, round) => (bare[round]?.cpuUs ?? Number.NaN) / cpuUs).sort((a, b) => a - b);
  return {
    arm: arm.name,
    capacityToBare: Number(median(ratios).toFixed(3)),
    from: Number(ratios[0]?.toFixed(3)),
    to: Number(ratios.at(-1)?.toFixed(3)),
    cpuUsPerCall: Number(median(its.map(({ cpuUs }) => cpuUs)).toFixed(1)),
    callsPerSecond: Math.round(median(its.map(({ rps }) => rps))),
    n: its.length,
  };
});
if (json) {
  const conditions = {
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: availableParallelism(),
    concurrency: CONCURRENCY,
    ms,
  };
  console.log(JSON.stringify({ conditions, rows }, null, 2));
} else {
  const table = new Table({
    head: ['arm', 'capacity to bare', 'range', 'CPU µs per call', 'calls/s', 'n'],
    style: { head: [] },
  });
  for (const row of rows) {
    table.push([row.arm, row.capacityToBare, `${row.from} to ${row.to}`, row.cpuUsPerCall, row.callsPerSecond, row.n]);
  }
  console.log(table.toString());
}
