// What Envoys and mTLS on the way cost a call: `make bench-hops`. A mesh with mTLS and one without run side by side; the ways take
// turns in random order, at a rate far below what any of them can do, so that what is compared is the way and not a queue.
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { createClient } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import type { PodView } from '../local/mesh.ts';
import { latencyMs, loadWhile } from '../local/testing-load.ts';
import { startTestMesh, type TestMesh } from '../local/testing-mesh.ts';
import { benchOptions, printRows, spread, takeTurns } from './bench-options.ts';
import { cpuUs } from './process-cpu.ts';

const RATE = 200;
const WARM_UP_MS = 1000;

/** A way from a client to the app of users. */
interface Way {
  readonly name: string;
  readonly address: string;
  /** The process of the app. */
  readonly app: number;
  /** Those of the Envoys on it. */
  readonly envoys: readonly number[];
}

/** What a call took on a way in one turn: milliseconds, and CPU microseconds of the app, and of all Envoys on it together. */
interface Turn {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly appUs: number;
  readonly envoyUs: number;
}

const { rounds, ms, json } = benchOptions('bench-hops', 'What Envoys and mTLS on the way cost a call.', {
  rounds: 7,
  ms: 5000,
});
const ONE_EACH = ['users', 'orders', 'payments', 'storefront'].flatMap(name => ['--set', `services.${name}.replicas=1`]);
await using plain = await startTestMesh({ values: [...ONE_EACH, '--set', 'mtls=false'] });
await using secured = await startTestMesh({ values: ONE_EACH });
const ways: readonly Way[] = [
  { name: 'to the app itself', address: `${users(plain).address}:50052`, app: appOf(plain), envoys: [] },
  {
    name: 'one Envoy: its sidecar',
    address: `${users(plain).address}:50051`,
    app: appOf(plain),
    envoys: [envoyOf(users(plain))],
  },
  { name: 'two Envoys: the edge and its sidecar', address: plain.edge, app: appOf(plain), envoys: bothEnvoys(plain) },
  { name: 'two Envoys, mTLS between them', address: secured.edge, app: appOf(secured), envoys: bothEnvoys(secured) },
];
const turns = await takeTurns(ways, rounds, takeTurn);
const [direct] = ways.map(way => turns.get(way) ?? []);
const rows = ways.map(way => {
  const its = turns.get(way) ?? [];
  // each turn beside the direct one of the same round: what slows the machine down slows both
  const added = spread(its.map(({ p50Ms }, round) => p50Ms - (direct?.[round]?.p50Ms ?? Number.NaN)));
  const p50 = spread(its.map(({ p50Ms }, round) => p50Ms / (direct?.[round]?.p50Ms ?? Number.NaN)));
  const cpu = spread(its.map((turn, round) => cpuOf(turn) / cpuOf(direct?.[round])));
  return {
    way: way.name,
    'p50 ms': fixed(spread(its.map(({ p50Ms }) => p50Ms)).median),
    'p99 ms': fixed(spread(its.map(({ p99Ms }) => p99Ms)).median),
    'added p50 ms': `${fixed(added.median)} (${fixed(added.from)} – ${fixed(added.to)})`,
    'p50 to direct': fixed(p50.median),
    'CPU µs of app': Math.round(spread(its.map(({ appUs }) => appUs)).median),
    'of Envoys': Math.round(spread(its.map(({ envoyUs }) => envoyUs)).median),
    'CPU to direct': `${fixed(cpu.median)} (${fixed(cpu.from)} – ${fixed(cpu.to)})`,
    'MiB of its sidecar': way.envoys.length > 0 ? Math.round(residentMiB(way.envoys.at(-1) ?? 0)) : 0,
    n: its.length,
  };
});
printRows(rows, json, { rate: RATE, ms });

async function takeTurn({ address, app, envoys }: Way): Promise<Turn> {
  using client = createClient(UserServiceService, { address });
  const ask = () => client.getUser({ id: 123 }, { deadline: deadlineIn(5000) });
  await loadWhile(wait(WARM_UP_MS), RATE, ask);
  const [appBefore, envoysBefore] = [cpuUs([app]), cpuUs(envoys)];
  const load = await loadWhile(wait(ms), RATE, ask);
  const { calls, failures } = load;
  if (failures.length > 0) throw new Error(`${failures.length} of ${calls} calls failed: ${failures[0]?.message}`);
  return {
    p50Ms: latencyMs(load, 0.5),
    p99Ms: latencyMs(load, 0.99),
    appUs: (cpuUs([app]) - appBefore) / calls,
    envoyUs: (cpuUs(envoys) - envoysBefore) / calls,
  };
}

function cpuOf(turn: Turn | undefined): number {
  return turn ? turn.appUs + turn.envoyUs : Number.NaN;
}

function users(mesh: TestMesh): PodView {
  const [pod] = mesh.pods('users');
  if (!pod) throw new Error('the mesh has no pod of users');
  return pod;
}

function envoyOf(pod: PodView): number {
  return pod.containers.find(({ name }) => name === 'envoy')?.pid ?? 0;
}

function appOf(mesh: TestMesh): number {
  return users(mesh).containers.find(({ name }) => name === 'app')?.pid ?? 0;
}

function bothEnvoys(mesh: TestMesh): number[] {
  return [...mesh.pods('edge'), users(mesh)].map(envoyOf);
}

/** The memory that a process has now, its share of what it has in common with others (Pss of proc_pid_smaps(5)). */
function residentMiB(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024;
}

function fixed(value: number): number {
  return Number(value.toPrecision(3));
}
