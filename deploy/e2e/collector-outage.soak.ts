import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { median } from '../../services/lab/measure/statistics.ts';
import { latencyMs } from '../local/testing-load.ts';
import { kubectl, NAMESPACE, type Pod, podsOf, settled, until } from './kubectl.ts';
import type { LoadReport } from './load.ts';
import { report, withLoad } from './load-pod.ts';
import { type NodePod, startNodePod } from './node-pod.ts';
import { connectPrometheus, type Prometheus } from './prometheus.ts';
import { workingSets } from './working-sets.ts';

const MIB = 2 ** 20;
const RATE = 100;
const OUTAGE_MS = 60_000;
/** How often it is away, to compare what calls take then with what they take before and after, and for how long: two scrapes of Prometheus. */
const PAIRS = 6;
const PIECE_MS = 30_000;
/** What follows a change, in milliseconds, is not measured: a new Jaeger is busy with itself. */
const SETTLE_MS = 10_000;

type Outage = (node: NodePod, jaeger: Pod) => Promise<AsyncDisposable>;

/** What ends when Jaeger is ready again, mended where it has to be. */
const untilReady =
  (begin: Outage, mend: (jaeger: Pod) => Promise<unknown> = async () => {}): Outage =>
  async (node, jaeger) => {
    const outage = await begin(node, jaeger);
    return {
      [Symbol.asyncDispose]: async () => {
        await outage[Symbol.asyncDispose]();
        await mend(jaeger);
        await settled();
      },
    };
  };

/** Has another made, which starts without a back-off. */
const replaced = ({ metadata: { name } }: Pod) => kubectl(['delete', 'pod', name, '--force', '--grace-period=0']);

/** How Jaeger is away until what these return is disposed of. */
const outages: Record<string, Outage> = {
  killed: untilReady((node, jaeger) => node.keepSignalling(jaeger, '--config', 'SIGKILL'), replaced),
  frozen: untilReady((node, jaeger) => node.keepSignalling(jaeger, '--config', 'SIGSTOP'), replaced),
  blackholed: untilReady((node, jaeger) => node.blackhole(jaeger.status.podIP ?? '')),
};

/** Spans of apps that were dropped, and batches of Envoys that got no good answer. */
const dropped = `sum(telltale_spans_dropped_total{namespace="${NAMESPACE}"})`;
const failed = `sum(envoy_cluster_upstream_rq_xx{namespace="${NAMESPACE}",envoy_cluster_name="otlp",envoy_response_code_class="5"}) or vector(0)`;

describe('the collector of traces, away for a minute at 100 calls a second', () => {
  let node: NodePod;
  let prometheus: Prometheus;
  before(async () => {
    node = await startNodePod();
    // the kubelet cannot reach it either, and would replace one that only the mesh has lost
    const probe = { op: 'remove', path: '/spec/template/spec/containers/0/livenessProbe' };
    await kubectl(['patch', 'deployment', 'jaeger', '--type=json', '--patch', JSON.stringify([probe])]);
    await settled();
    prometheus = await connectPrometheus();
    await withLoad({ rate: RATE }, () => wait(60_000)); // caches and heaps of new processes have grown to what the load needs
  });
  after(async () => {
    prometheus?.[Symbol.dispose]();
    await kubectl(['rollout', 'undo', 'deployment/jaeger']);
    await node?.[Symbol.asyncDispose]();
  });

  const count = async (expression: string) => Number((await prometheus.query(expression))[0]?.value[1]);

  for (const [how, begin] of Object.entries(outages)) {
    it(`${how}: no call fails, no process keeps more than 20 MiB, and what is lost is counted`, async t => {
      const [jaeger] = await podsOf('jaeger');
      assert.ok(jaeger);
      const [spans, batches, sizes] = [await count(dropped), await count(failed), await workingSets()];

      let grown: [string, number][] = [];
      const result = await withLoad({ rate: RATE }, async () => {
        await using _outage = await begin(node, jaeger);
        await wait(OUTAGE_MS);
        grown = growth(sizes, await workingSets());
      });
      report(t, result);
      for (const [container, mib] of grown.slice(0, 3)) t.diagnostic(`${container} has grown by ${mib.toFixed(1)} MiB`);
      assert.equal(result.failures.length, 0);
      assert.deepEqual(
        grown.filter(([, mib]) => mib >= 20),
        [],
      );
      await until('Prometheus counts spans and batches that were lost', 30_000, async () => {
        return (await count(dropped)) > spans && (await count(failed)) > batches;
      });
      t.diagnostic(
        `${(await count(dropped)) - spans} spans of apps and ${(await count(failed)) - batches} batches of Envoys are lost`,
      );
    });

    it(`${how} again and again: no call fails, and what calls take beside the time before and after is told`, async t => {
      const spans = await count(dropped);
      const away: Piece[] = [];
      const there: Piece[] = [];
      const piece = async (pieces: Piece[]) => {
        await wait(SETTLE_MS);
        const from = Date.now();
        await wait(PIECE_MS);
        pieces.push({ from, to: Date.now() });
      };
      // calls that these cores have room for: where they wait for a core, that is all that is seen
      const load = await withLoad({ rate: RATE, ordersOfTen: 0, usersOfTen: 10 }, async () => {
        await piece(there);
        for (let pair = 0; pair < PAIRS; pair++) {
          const [jaeger] = await podsOf('jaeger');
          assert.ok(jaeger);
          {
            await using _outage = await begin(node, jaeger);
            await piece(away);
          }
          await piece(there);
        }
      });
      report(t, load);
      for (const q of [0.5, 0.99]) {
        const [outages, others] = [away, there].map(pieces => pieces.map(piece => latencyWithin(load, piece, q)));
        const ratios = (outages ?? []).map((ms, pair) => (2 * ms) / ((others?.[pair] ?? 0) + (others?.[pair + 1] ?? 0)));
        const shown = (values: readonly number[] = []) => values.map(value => value.toFixed(2)).join(', ');
        t.diagnostic(
          `p${100 * q}: away ${shown(outages)} ms; there ${shown(others)} ms; ratios ${shown(ratios)}, median ${median(ratios).toFixed(2)}`,
        );
      }
      assert.deepEqual(load.failures, []);
      await until('Prometheus counts spans that were lost', 30_000, async () => (await count(dropped)) > spans);
    });
  }
});

/** Times in milliseconds since the epoch. */
interface Piece {
  readonly from: number;
  readonly to: number;
}

/** The latency of the calls that were due then, in milliseconds. */
function latencyWithin({ startedAt, answers }: LoadReport, { from, to }: Piece, q: number): number {
  return latencyMs({ answers: answers.filter(({ dueMs }) => startedAt + dueMs >= from && startedAt + dueMs < to) }, q);
}

/** By how many MiB the mesh's apps and Envoys have grown, the most first. */
function growth(from: Map<string, number>, to: Map<string, number>): [string, number][] {
  return [...to]
    .filter(([container]) => / (app|envoy)$/.test(container))
    .map(([container, bytes]): [string, number] => [container, (bytes - (from.get(container) ?? bytes)) / MIB])
    .sort(([, a], [, b]) => b - a);
}
