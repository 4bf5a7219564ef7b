// What telemetry costs a server: `make bench-telemetry`. Arms take turns in random order; each round starts a process of its own for
// each, so that no arm inherits what another has warmed up.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserRequest, UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';
import { benchOptions, printRows, spread, takeTurns } from './bench-options.ts';
import { loadUntil } from './h2-load.ts';

interface Arm {
  readonly name: string;
  readonly made: 'bare' | 'kit' | 'telemetry';
  /** The share of the calls whose parents are sampled, as the edge decides it; without, there is no tracing here at all. */
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
/** As many calls for each arm, and not as long: one that is slower would else be measured before its code has been compiled. */
const WARM_UP_CALLS = 60_000;
const CALL = { path: UserServiceService.getUser.path, body: frame(UserRequest.encode({ id: 123 }).finish()) };

/** CPU microseconds per call, and calls a second, of one turn. */
interface Turn {
  readonly cpuUs: number;
  readonly rps: number;
}

async function takeTurn({ made, sampled }: Arm, collector: string, ms: number): Promise<Turn> {
  const call = { ...CALL, sampled: sampled ?? 1 }; // all arms get the same requests
  const server = fork(new URL('bench-server.ts', import.meta.url), [made], {
    execArgv: ['--import', new URL('../../services/kit/telemetry.ts', import.meta.url).href],
    env: { ...process.env, ...(sampled !== undefined && { OTEL_EXPORTER_OTLP_ENDPOINT: collector }) },
  });
  try {
    const address = `127.0.0.1:${(await once(server, 'message'))[0]}`;
    await loadUntil(answered => answered >= WARM_UP_CALLS, address, call, CONCURRENCY);
    const before = await cpuOf(server);
    const endsAt = Date.now() + ms;
    const calls = await loadUntil(() => Date.now() >= endsAt, address, call, CONCURRENCY);
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

const { rounds, ms, json } = benchOptions(
  'bench-telemetry',
  "What telemetry costs a server. CPU per call is what the server's process took, user and system; capacity is what one core of it would do with that.",
  { rounds: 7, ms: 3000 },
);
const collector = await startCollector();
const turns = await takeTurns(ARMS, rounds, arm => takeTurn(arm, collector, ms));
const bare = turns.get(ARMS[0] as Arm) ?? [];
const rows = ARMS.map(arm => {
  const its = turns.get(arm) ?? [];
  // of each round against the same round's bare server: what slows the machine down slows both
  const ratio = spread(its.map(({ cpuUs }, round) => (bare[round]?.cpuUs ?? Number.NaN) / cpuUs));
  return {
    arm: arm.name,
    'capacity to bare': Number(ratio.median.toFixed(3)),
    from: Number(ratio.from.toFixed(3)),
    to: Number(ratio.to.toFixed(3)),
    'CPU µs per call': Number(spread(its.map(({ cpuUs }) => cpuUs)).median.toFixed(1)),
    'calls/s': Math.round(spread(its.map(({ rps }) => rps)).median),
    n: its.length,
  };
});
printRows(rows, json, { concurrency: CONCURRENCY, warmUpCalls: WARM_UP_CALLS, ms });
