import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { kubectl, kubectlJson, settled } from './kubectl.ts';
import { RATE, report, withLoad } from './load-pod.ts';
import { workingSets } from './working-sets.ts';

interface Requesting {
  metadata: { name: string; labels: Record<string, string> };
  spec: Record<'containers' | 'initContainers', { name: string; resources: { requests: { memory: string } } }[] | undefined>;
}

const MIB = 2 ** 20;
const RELEASE = 'app.kubernetes.io/instance=telltale';

/** Not those of Jobs, which have ended. */
const RUNNING = '--field-selector=status.phase=Running';

/** What these keep grows with what they are given: they may use less than they ask for. */
const STORES = ['postgresql', 'prometheus', 'jaeger'];

const OBSERVABILITY = ['prometheus', 'jaeger', 'grafana'];

describe('the memory that is asked for', () => {
  it(`is within a quarter of what each new container uses at ${RATE} calls a second, and at most 1.4 GiB without observability`, async t => {
    // What a burst has made an Envoy or a cache take stays with it; so do the pages that a node's first pod of an image reads.
    await kubectl(['rollout', 'restart', 'deployment', '-l', RELEASE]);
    await kubectl(['delete', 'pod', '-l', 'app.kubernetes.io/name=postgresql']);
    for (const name of await namesOf('deployment')) await kubectl(['rollout', 'status', name, '--timeout=180s']);
    await settled();

    let used = new Map<string, number>();
    const result = await withLoad({}, async () => {
      await wait(30_000); // what is collected and what is kept have found their balance
      used = await workingSets();
    });
    report(t, result);
    const { items } = await kubectlJson<{ items: Requesting[] }>('get', 'pods', '-l', RELEASE, RUNNING);
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
    const least = (part: string) => (STORES.includes(part) ? 0 : 0.75);
    const wrong = rows.filter(({ part, asked, used }) => !(used >= asked * least(part) && used <= asked * 1.25));
    assert.deepEqual(wrong, []);
  });
});

/** The names of the release's objects of a kind: "deployment.apps/users". */
const namesOf = async (kind: string) => (await kubectl(['get', kind, '-l', RELEASE, '--output=name'])).trim().split('\n');
