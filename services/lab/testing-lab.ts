import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabServiceService } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { createLogger } from '../kit/log.ts';
import { pause } from '../kit/pause.ts';
import { preciseNow } from '../kit/record.ts';
import { RpcError } from '../kit/rpc-error.ts';
import { type Binding, bind } from '../kit/server.ts';
import type { CallToMake } from './bench.ts';
import type { Catalog } from './catalog.ts';
import { Collector } from './collector.ts';
import { type Control, meshControl } from './control.ts';
import { noApi } from './kubernetes-api.ts';
import { lab } from './lab.ts';
import { meshClients } from './mesh.ts';
import { integer, loadParameters } from './parameters.ts';
import { type PodLives, podLives } from './pod-lives.ts';
import { openResultStore, type ResultStore } from './result-store.ts';
import { createRuns } from './runs.ts';
import { keepScale } from './scale-keeper.ts';
import { type AnyScenario, type Arm, defineScenario } from './scenario.ts';

const parameters = {
  ...loadParameters({ rate: 50, seconds: 1, repetitions: 2 }),
  wait: integer({ title: 'How long a call takes', unit: 'ms', default: 5, min: 0, max: 60_000 }),
};

/** What the fake scenario's arms are told and tell. */
export interface FakeWorld {
  readonly collector: Collector;
  /** Calls that are under way at the moment, and the most that there were. */
  open: number;
  begun: number;
  /** The ids that the calls had, in the order of their begin. */
  readonly ids: string[];
  /** Whether calls leave records. */
  reports: boolean;
  /** What an arm throws while its load goes on. */
  fails: Error | undefined;
  /** How long each call blocks the event loop of the lab, in milliseconds. */
  readonly stallMs: number;
}

/** A scenario without a mesh: its calls wait, and report what a hop would have. Its checks pass when the control is slower. */
function fakeScenario(world: FakeWorld): AnyScenario {
  const arm = <const Name extends string>(name: Name, ms: number): Arm<typeof parameters, 'ms', Name> => ({
    name,
    title: `answers after ${ms} ms`,
    async run({ parameters: { wait }, signal, load }) {
      const loaded = load({ hops: ['Wait'], call: call => fakeCall(world, call, wait) });
      await Promise.race([loaded, ...(world.fails ? [pause(200, signal)] : [])]);
      if (world.fails) throw world.fails;
      return { ms };
    },
  });
  return defineScenario({
    name: 'fake',
    claim: { says: 'the one is faster than the other', by: 'the tests of the lab' },
    describe: { question: 'Is it?', method: 'It waits.', reading: 'Less is more.', limits: ['Everything else.'] },
    parameters,
    figures: { ms: { title: 'Time', unit: 'ms', ...(world.stallMs > 0 && { latency: true as const }) } },
    arms: [arm('one', 1)],
    controls: [arm('other', 100)],
    headline: { figure: 'ms', arm: 'one', control: 'other' },
    checks: [{ says: 'one is at most 10', test: ({ one }) => ({ passed: Math.max(...one.ms) <= 10, observed: `${one.ms}` }) }],
  }) as unknown as AnyScenario;
}

async function fakeCall(world: FakeWorld, { id, signal, metadata }: CallToMake, waitMs: number) {
  const arrivedAt = preciseNow();
  world.begun++;
  world.ids.push(id);
  world.open++;
  for (const end = performance.now() + world.stallMs; performance.now() < end; );
  try {
    await pause(waitMs, signal);
  } catch {
    throw new RpcError(1, 'cancelled', { reason: 'CANCELLED' });
  } finally {
    world.open--;
    const endedAt = preciseNow();
    const [run] = metadata().get('telltale-run');
    const hop = { method: 'telltale.test.v1.TestService/Wait', pod: 'test-1', peer: 'x', attempt: 1, status: 'OK' };
    const record = { ...hop, run: String(run), arrivedAt, endedAt, stoppedAt: endedAt };
    const message = { service: 'test', pod: 'test-1', droppedCount: 0n, cpuUs: 0n, sampledAt: endedAt };
    if (world.reports && run !== undefined) world.collector.add({ ...message, records: [record] });
  }
}

/** A lab of a test, with the fake scenario and a folder of its own. */
export interface TestLab extends AsyncDisposable {
  readonly binding: Binding;
  readonly world: FakeWorld;
  readonly results: ResultStore;
  /** Where they are kept. */
  readonly folder: string;
}

/** What a lab of a test may have instead. */
export interface TestLabOptions {
  /** The longest that a run may take, in milliseconds. */
  readonly longestMs?: number;
  /** Default: nobody can look. */
  readonly lives?: PodLives;
  /** See {@link FakeWorld}; when it is not 0, the headline is a latency. Default 0. */
  readonly stallMs?: number;
  /** Default: there is nothing to control. */
  readonly control?: Control;
}

/** Makes a lab without a mesh. */
export async function createTestLab(options: TestLabOptions = {}): Promise<TestLab> {
  const { longestMs, lives = podLives(noApi), stallMs = 0 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'telltale-lab-'));
  const results = await openResultStore(join(folder, 'results'));
  const collector = new Collector();
  const world: FakeWorld = { collector, open: 0, begun: 0, ids: [], reports: true, fails: undefined, stallMs };
  const catalog: Catalog = new Map([['fake', fakeScenario(world)]]);
  const surroundings = { versions: { node: process.versions.node }, mode: 'local', cores: 2, platform: 'test' } as const;
  const timing = { warmUpSeconds: 0, reportMs: 300 };
  const logger = createLogger({ service: 'lab', pod: 'test-1', level: 'silent' });
  const { control, putBack } = keepScale(options.control ?? meshControl(noApi), join(folder, 'scaled.json'));
  const nowhere = '127.0.0.1:1';
  const mesh = meshClients({ egress: nowhere, wide: nowhere, mode: 'local', identity: '' });
  const dependencies = { mesh, control, putBack, lives, collector, surroundings, timing };
  const runs = createRuns(dependencies, results, longestMs);
  return {
    binding: bind(LabServiceService, lab({ catalog, runs, results, collector, logger })),
    world,
    results,
    folder: join(folder, 'results'),
    [Symbol.asyncDispose]: async () => {
      mesh[Symbol.dispose]();
      await rm(folder, { recursive: true });
    },
  };
}
