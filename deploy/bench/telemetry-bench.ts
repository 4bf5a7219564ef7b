// What telemetry costs a server: `make bench-telemetry`. Each round starts a process for each arm, so that no arm inherits what
// another has warmed up, and then calls them in turn, in random order, for a moment each.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { UserRequest, UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';
import { benchOptions, printRows, shuffled, spread, takeRounds } from './bench-options.ts';
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

/** How long one arm is called before the next is, in milliseconds: what slows the machine down for a second slows all arms. */
const SLICE_MS = 200;
/** After how many milliseconds what is left of the spans has been sent, too. */
const SENT_MS = 6000;
/** How long servers that nobody calls are watched, in milliseconds. */
const IDLE_MS = 3000;

/** CPU microseconds per call, and calls a second, of one round. */
interface Turn {
  readonly cpuUs: number;
  readonly rps: number;
}

/** An arm's server in one round, and what it has been asked. */
class Running implements Disposable {
  calls = 0;
  readonly arm: Arm;
  readonly #server: ChildProcess;
  readonly #address: string;

  private constructor(arm: Arm, server: ChildProcess, port: unknown) {
    this.arm = arm;
    this.#server = server;
    this.#address = `127.0.0.1:${port}`;
  }

  static async start(arm: Arm, collector: string): Promise<Running> {
    const server = fork(new URL('bench-server.ts', import.meta.url), [arm.made], {
      execArgv: ['--import', new URL('../../services/kit/telemetry.ts', import.meta.url).href],
      env: { ...process.env, ...(arm.sampled !== undefined && { OTEL_EXPORTER_OTLP_ENDPOINT: collector }) },
    });
    return new Running(arm, server, (await once(server, 'message'))[0]);
  }

  async load(over: (answered: number) => boolean): Promise<void> {
    const call = { ...CALL, sampled: this.arm.sampled ?? 1 }; // all arms get the same requests
    this.calls += await loadUntil(over, this.#address, call, CONCURRENCY);
  }

  cpuUs(): Promise<number> {
    return cpuOf(this.#server);
  }

  [Symbol.dispose](): void {
    this.#server.kill('SIGKILL');
  }
}

/** One round: a process for each arm, all warm, which are then called in turn for a moment each until each has had `ms` milliseconds. */
async function takeRound(collector: string, ms: number): Promise<Map<Arm, Turn>> {
  using stack = new DisposableStack();
  const servers: Running[] = [];
  for (const arm of ARMS) servers.push(stack.use(await Running.start(arm, collector)));
  for (const server of shuffled(servers)) await server.load(answered => answered >= WARM_UP_CALLS);
  await wait(SENT_MS);
  for (const server of servers) server.calls = 0;
  const cpu = () => Promise.all(servers.map(server => server.cpuUs()));
  const resting = await cpu();
  await wait(IDLE_MS);
  const before = await cpu();
  const begunAt = performance.now();
  const slices = Math.ceil(ms / SLICE_MS);
  for (let slice = 0; slice < slices; slice++)
    for (const server of shuffled(servers)) {
      const endsAt = performance.now() + SLICE_MS;
      await server.load(() => performance.now() >= endsAt);
    }
  await wait(SENT_MS);
  const after = await cpu();
  const idleMs = performance.now() - begunAt - slices * SLICE_MS;
  return new Map(
    servers.map(({ arm, calls }, n) => {
      // what a server does by itself while others are called is not of its calls: it samples the delay of its event loop
      const [from = 0, start = 0, end = 0] = [resting[n], before[n], after[n]];
      const ownUs = end - start - ((start - from) / IDLE_MS) * idleMs;
      return [arm, { cpuUs: ownUs / calls, rps: (calls * 1000) / (slices * SLICE_MS) }];
    }),
  );
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
  { rounds: 5, ms: 6000 },
);
const collector = await startCollector();
const turns = await takeRounds(ARMS, rounds, () => takeRound(collector, ms));
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
