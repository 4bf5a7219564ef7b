import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { watchEndpoints } from './endpoints.ts';
import type { Pod } from './pod.ts';
import { headlessService, testFolder } from './testing-chart.ts';
import { waitUntil } from './wait.ts';

const pod = (name: string, address: string, state: { ready: boolean; terminating: boolean }) =>
  ({ address, labels: { 'app.kubernetes.io/name': name }, ...state }) as unknown as Pod;
const ready = { ready: true, terminating: false };

function addresses(dir: string, service: string): string[] {
  const { resources } = parse(readFileSync(join(dir, `${service}.yaml`), 'utf8'));
  assert.equal(resources.length, 1);
  assert.equal(resources[0].cluster_name, service);
  return resources[0].endpoints[0].lb_endpoints.map(
    ({ endpoint }: { endpoint: { address: { socket_address: { address: string; port_value: number } } } }) =>
      `${endpoint.address.socket_address.address}:${endpoint.address.socket_address.port_value}`,
  );
}

describe('watchEndpoints', () => {
  it('has an empty file for each headless service before any pod is ready, and no other file', () => {
    using folder = testFolder();
    const dir = folder.paths.endpoints;
    const clusterIp = { ...headlessService('edge'), spec: { ports: [{ port: 8080 }] } };
    watchEndpoints({ dir, services: [headlessService('users'), clusterIp] });
    assert.deepEqual(readdirSync(dir), ['users.yaml']);
    assert.deepEqual(addresses(dir, 'users'), []);
  });

  it("lists a service's ready pods; one that terminates leaves at once, also while it is ready", () => {
    using folder = testFolder();
    const dir = folder.paths.endpoints;
    const endpoints = watchEndpoints({ dir, services: [headlessService('users')] });
    const others = [pod('orders', '127.0.1.9', ready), pod('users', '127.0.1.4', { ready: false, terminating: false })];
    endpoints.update([pod('users', '127.0.1.2', ready), pod('users', '127.0.1.3', ready), ...others]);
    assert.deepEqual(addresses(dir, 'users'), ['127.0.1.2:50051', '127.0.1.3:50051']);
    endpoints.update([pod('users', '127.0.1.2', { ready: true, terminating: true }), pod('users', '127.0.1.3', ready)]);
    assert.deepEqual(addresses(dir, 'users'), ['127.0.1.3:50051']);
  });

  it('replaces files, so that who has the old one open still reads the old one', () => {
    using folder = testFolder();
    const dir = folder.paths.endpoints;
    const endpoints = watchEndpoints({ dir, services: [headlessService('users')] });
    const before = readdirSync(dir, { withFileTypes: true }).length;
    endpoints.update([pod('users', '127.0.1.2', ready)]);
    assert.equal(readdirSync(dir).length, before);
  });

  it('holds a change back for delayMs', async () => {
    using folder = testFolder();
    const dir = folder.paths.endpoints;
    const endpoints = watchEndpoints({ dir, services: [headlessService('users')], delayMs: 100 });
    const since = performance.now();
    endpoints.update([pod('users', '127.0.1.2', ready)]);
    assert.deepEqual(addresses(dir, 'users'), []);
    assert.ok(await waitUntil(() => addresses(dir, 'users').length === 1, { timeoutMs: 5000 }));
    assert.ok(performance.now() - since >= 99);
    endpoints.close();
  });
});
