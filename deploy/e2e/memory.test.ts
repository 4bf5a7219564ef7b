import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { quantile } from '../local/testing-load.ts';
import { kubectl, kubectlJson, NAMESPACE } from './kubectl.ts';
import { report, withLoad } from './load-pod.ts';

interface Requesting {
  metadata: { name: string; labels: Record<string, string> };
  spec: Record<'containers' | 'initContainers', { name: string; resources: { requests: { memory: string } } }[] | undefined>;
}
/** What a kubelet says at /stats/summary, as far as it is read here. */
interface Summary {
  pods: { podRef: { name: string; namespace: string }; containers: { name: string; memory: { workingSetBytes: number } }[] }[];
}

const MIB = 2 ** 20;

/** What these use grows with what they are given to keep, so that they are only asked not to use much more. */
const STORES = ['postgresql', 'prometheus', 'jaeger', 'grafana'];
const OBSERVABILITY = ['prometheus', 'jaeger', 'grafana'];

describe('the memory that is asked for', () => {
  it('is within a quarter of what containers of a kind use at 100 calls a second, and at most 1.4 GiB without observability', async t => {
    let used = new Map<string, number>();
    const result = await withLoad({}, async () => {
      await wait(30_000); // what is collected and what is kept have found their balance
      used = await workingSets();
    });
    report(t, result);
    const { items } = await kubectlJson<{ items: Requesting[] }>('get', 'pods', '-l', 'app.kubernetes.io/instance=telltale');
    const rows = items.flatMap(({ metadata, spec }) =>
      [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name, resources }) => ({
        part: metadata.labels['app.kubernetes.io/name'] ?? '',
        name,
        asked: Number(/^(\d+)Mi$/.exec(resources.requests.memory)?.[1]),
        used: (used.get(`${metadata.name} ${name}`) ?? Number.NaN) / MIB,
      })),
    );
    for (const { part, name, asked, used } of rows)
      t.diagnostic(`${part} ${name}: asks for ${asked} MiB, uses ${used.toFixed(1)} MiB`);
    const total = rows.reduce((sum, { part, asked }) => sum + (OBSERVABILITY.includes(part) ? 0 : asked), 0);
    t.diagnostic(`${total} MiB without observability`);
    assert.ok(total <= 1.4 * 1024);
    const wrong = [...Map.groupBy(rows, keyOf)].flatMap(([value, its]) => {
      const ratio = quantile(
        its.map(({ asked, used }) => used / asked).sort((a, b) => a - b),
        0.5,
      );
      t.diagnostic(`${value}: uses ${ratio.toFixed(2)} of what it asks for, the median of ${its.length}`);
      return ratio >= (STORES.includes(value) ? 0 : 0.75) && ratio <= 1.25 ? [] : [value];
    });
    assert.deepEqual(wrong, []);
  });
});

/** The value of the chart, under `resources`, that says what a container asks for: one for all of its kind. */
function keyOf({ part, name }: { part: string; name: string }): string {
  if (name === 'app') return 'app';
  return name === 'envoy' && part !== 'edge' ? 'sidecar' : part;
}

/** The memory of each container of the namespace that the system could not take back at once, in bytes, by "<pod> <container>". */
async function workingSets(): Promise<Map<string, number>> {
  const nodes = await kubectlJson<{ items: { metadata: { name: string } }[] }>('get', 'nodes');
  const summaries = await Promise.all(
    nodes.items.map(
      async ({ metadata }): Promise<Summary> =>
        JSON.parse(await kubectl(['get', '--raw', `/api/v1/nodes/${metadata.name}/proxy/stats/summary`])),
    ),
  );
  return new Map(
    summaries
      .flatMap(({ pods }) => pods)
      .filter(({ podRef }) => podRef.namespace === NAMESPACE)
      .flatMap(({ podRef, containers }) =>
        containers.map(({ name, memory }) => [`${podRef.name} ${name}`, memory.workingSetBytes] as const),
      ),
  );
}
