// What telemetry costs a server: `make bench-telemetry`. Arms take turns in random order; each round starts a process of its own for
// each, so that no arm inherits what another has warmed up.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { UserRequest, UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { quantile } from '../local/testing-load.ts';
import { loadFor } from './h2-load.ts';

const HELP = `usage: telemetry-bench.ts [--rounds N] [--ms MS] [--json]

  --rounds N   how often each arm has its turn (default 7)
  --ms MS      how long each is measured (default 3000)
  --json       print the figures as JSON

CPU per call is what the server's process took, user and system; capacity is what one core of it would do with that.`;

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
const message = Buffer.from(UserRequest.encode({ id: 123 }).finish());
const head = Buffer.from([0, 0, 0, 0, message.length]);
const CALL = { path: UserServiceService.getUser.path, body: Buffer.concat([head, message]) };

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

const median = (values: readonly number[]) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '3000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
const [rounds, ms] = [Number(options.rounds), Number(options.ms)];
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(ms) || ms < 100) {
  console.error(`--rounds must be a whole number from 1, --ms one from 100; are ${options.rounds} and ${options.ms}`);
  process.exit(2);
}

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
if (options.json) {
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
