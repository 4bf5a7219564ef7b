import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { CLUSTER_DELAY_MS } from './endpoints.ts';
import type { KubeObject } from './manifest.ts';
import { type LoadResult, latencyMs, loadWhile } from './testing-load.ts';
import { SERVICES, startTestMesh, type TestMesh } from './testing-mesh.ts';

const RATE = 100;
const DEADLINE_MS = 5000;

/** 100 calls a second through the edge, nine profiles (users, orders) to one order (users, orders, payments). */
function loadDuring(mesh: TestMesh, policy: 'no-retry' | 'default', during: () => Promise<unknown>): Promise<LoadResult> {
  const storefront = mesh.client(Storefront);
  const metadata = scriptMetadata([], undefined, policy);
  const options = () => ({ deadline: deadlineIn(DEADLINE_MS), metadata });
  const lines = [{ sku: 'sail', quantity: 1, unitPriceMinor: 100n }];
  const call = (n: number) => {
    const userId = 1 + (n % 10_000);
    if (n % 10 > 0) return storefront.getProfile({ userId, orderLimit: 1 }, options());
    return storefront.placeOrder({ order: { orderId: randomUUID(), userId, lines, currencyCode: 'EUR' } }, options());
  };
  return loadWhile(wait(1000).then(during), RATE, call); // a second before anything happens
}

function report(t: TestContext, load: LoadResult): void {
  const { calls, failures } = load;
  const [p50, p99] = [0.5, 0.99].map(q => latencyMs(load, q).toFixed(0));
  t.diagnostic(`${failures.length} of ${calls} calls failed; p50 ${p50} ms, p99 ${p99} ms`);
  for (const { dueMs, message } of failures.slice(0, 5)) t.diagnostic(`${dueMs.toFixed(0)} ms: ${message}`);
}

/** Takes the drain from every app: it exits as soon as it is told to. */
function withoutDrain(objects: KubeObject[]): KubeObject[] {
  const text = JSON.stringify(objects);
  const changed = text.replaceAll(/("name":"TELLTALE_DRAIN_(?:WAIT|TIMEOUT)_MS","value":)"\d+"/g, '$1"0"');
  assert.notEqual(changed, text, 'the manifests have no drain to take away');
  return JSON.parse(changed);
}

describe('at 100 calls a second through the edge, with 2 replicas of each service', () => {
  it('the restart of each service in turn fails no call, without any retry', async t => {
    await using mesh = await startTestMesh({ endpointDelayMs: CLUSTER_DELAY_MS });
    const result = await loadDuring(mesh, 'no-retry', async () => {
      for (const service of SERVICES) await mesh.restart(service);
    });
    report(t, result);
    assert.equal(result.failures.length, 0);
  });

  it('kill -9 of one app of each service in turn fails no call', async t => {
    await using mesh = await startTestMesh({ endpointDelayMs: CLUSTER_DELAY_MS });
    const result = await loadDuring(mesh, 'default', async () => {
      for (const service of SERVICES) {
        const [pod] = mesh.pods(service);
        assert.ok(pod);
        mesh.killContainer(pod.name, 'app', 'SIGKILL');
        await wait(500); // until it was missed, so that it counts as not ready
        await mesh.whenReady();
      }
    });
    report(t, result);
    assert.equal(result.failures.length, 0);
  });

  it('without the drain, the control, restarts fail calls', async t => {
    await using mesh = await startTestMesh({ endpointDelayMs: CLUSTER_DELAY_MS, transform: withoutDrain });
    const result = await loadDuring(mesh, 'no-retry', async () => {
      for (const service of SERVICES) await mesh.restart(service);
    });
    report(t, result);
    assert.notEqual(result.failures.length, 0);
  });
});
