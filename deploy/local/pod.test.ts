import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Deployment } from './deployment.ts';
import type { PodSpec } from './manifest.ts';
import { deployment, type TestFolder, testFolder } from './testing-chart.ts';
import { runObjects } from './testing-deployments.ts';
import { settledWithin, waitUntil } from './wait.ts';

/** Runs one pod of `spec` and waits until it is ready. */
async function runPod(folder: TestFolder, spec: PodSpec, ready = true) {
  const running = await runObjects(folder, [deployment('users', 1, spec)]);
  const users = running.deployments.get('users') as Deployment;
  if (ready) assert.ok(await users.whenComplete(20_000), JSON.stringify(folder.events()));
  const [pod] = users.pods;
  assert.ok(pod);
  return { pod, users, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

/** A native sidecar beside an app. */
const withSidecar = (folder: TestFolder, appEnv: Record<string, string> = {}): PodSpec => ({
  initContainers: [
    folder.container(
      'sidecar',
      8081,
      {},
      { restartPolicy: 'Always', startupProbe: { httpGet: { path: '/ready', port: 8081 } } },
    ),
  ],
  containers: [folder.container('app', 8082, appEnv)],
  terminationGracePeriodSeconds: 10,
});

describe('a pod', () => {
  it('starts its sidecar first and stops it last, after the app has ended', async () => {
    using folder = testFolder();
    await using running = await runPod(folder, withSidecar(folder, { STOP_MS: '200' }));
    assert.deepEqual(
      running.pod.containers.map(({ name }) => name),
      ['sidecar', 'app'],
    );
    await running.users.stop();
    assert.deepEqual(folder.events(), ['sidecar start', 'app start', 'app term', 'app exit', 'sidecar term', 'sidecar exit']);
  });

  it('does not start the app while its sidecar has not started', async () => {
    using folder = testFolder();
    const spec = withSidecar(folder);
    const sidecar = folder.container('sidecar', 8081, { READY: 'false' }, { ...spec.initContainers?.[0], env: [] });
    const env = folder.container('sidecar', 8081, { READY: 'false' }).env ?? [];
    await using running = await runPod(folder, { ...spec, initContainers: [{ ...sidecar, env }] }, false);
    assert.ok(await waitUntil(() => folder.events().includes('sidecar start'), { timeoutMs: 5000 }));
    assert.equal(await running.users.whenComplete(600), false);
    assert.deepEqual(folder.events(), ['sidecar start']);
  });

  it('kills what does not end within the grace period, and at once without one', async () => {
    using folder = testFolder();
    const spec = { containers: [folder.container('app', 8082, { DEAF: '1' })], terminationGracePeriodSeconds: 1 };
    await using running = await runPod(folder, spec);
    const since = performance.now();
    running.users.deletePod(running.pod.name);
    assert.ok(await running.users.whenComplete(20_000)); // the pod that took its place
    const took = performance.now() - since;
    assert.ok(took > 950 && took < 10_000, `${took} ms`);
    assert.equal(await settledWithin(running.users.stop(0), 900), true);
    assert.deepEqual(
      folder.events().filter(event => event === 'app exit'),
      [],
    );
  });

  it('waits for the preStop sleep before SIGTERM, and is not ready meanwhile; not when everything stops', async () => {
    using folder = testFolder();
    const lifecycle = { preStop: { sleep: { seconds: 1 } } };
    await using running = await runPod(folder, { containers: [folder.container('app', 8082, {}, { lifecycle })] });
    const { pod, users } = running;
    const since = performance.now();
    users.deletePod(pod.name);
    assert.deepEqual([pod.ready, pod.terminating], [false, true]);
    assert.ok(await waitUntil(() => folder.events().includes('app term'), { timeoutMs: 5000 }));
    assert.ok(performance.now() - since > 950);
    assert.ok(await users.whenComplete(20_000)); // the pod that took its place
    assert.equal(await settledWithin(users.stop(), 900), true);
  });

  it('waits for the answer of a preStop httpGet before SIGTERM', async () => {
    using folder = testFolder();
    const asked: string[] = [];
    const hook = createServer((request, response) => {
      asked.push(`${request.url} ${folder.events().join()}`);
      setTimeout(() => response.end(), 300);
    }).listen(0, '0.0.0.0');
    await once(hook, 'listening');
    const lifecycle = { preStop: { httpGet: { path: '/drain', port: (hook.address() as AddressInfo).port } } };
    await using running = await runPod(folder, { containers: [folder.container('app', 8082, {}, { lifecycle })] });
    const since = performance.now();
    running.users.deletePod(running.pod.name);
    assert.ok(await waitUntil(() => folder.events().includes('app term'), { timeoutMs: 5000 }));
    assert.ok(performance.now() - since > 290);
    assert.equal(asked[0]?.split(',')[0], '/drain app start');
    hook.close();
  });

  it('starts a container again that was killed, counts it, and is ready again', async () => {
    using folder = testFolder();
    await using running = await runPod(folder, { containers: [folder.container('app', 8082)] });
    const [container] = running.pod.containers;
    const before = container?.pid;
    container?.kill('SIGKILL');
    assert.ok(await waitUntil(() => container?.restarts === 1, { timeoutMs: 5000 }));
    assert.ok(await waitUntil(() => running.pod.ready, { timeoutMs: 5000 }));
    assert.notEqual(container?.pid, before);
    assert.equal(container?.lastExit, 'signal SIGKILL');
  });

  it('restarts a container whose liveness probe fails', async () => {
    using folder = testFolder();
    const livenessProbe = { httpGet: { port: 8082 }, periodSeconds: 0.2, failureThreshold: 2 };
    const container = folder.container('app', 8082, { READY: 'false' }, { livenessProbe });
    await using running = await runPod(folder, { containers: [container] }, false);
    assert.ok(await waitUntil(() => (running.pod.containers[0]?.restarts ?? 0) > 0, { timeoutMs: 10_000 }));
    assert.ok(folder.events().includes('app term'));
  });

  it('is not ready while the readiness probe fails', async () => {
    using folder = testFolder();
    await using running = await runPod(folder, { containers: [folder.container('app', 8082, { READY: 'false' })] }, false);
    assert.equal(await running.users.whenComplete(1000), false);
    assert.equal(running.pod.ready, false);
  });

  it('keeps the output in a log, with how each process ended, and removes its other files', async () => {
    using folder = testFolder();
    const volumeMounts = [{ name: 'scratch', mountPath: '/scratch' }];
    const containers = [folder.container('app', 8082, { FAIL: 'no disk' }, { volumeMounts })];
    await using running = await runPod(folder, { containers, volumes: [{ name: 'scratch', emptyDir: {} }] }, false);
    const [container] = running.pod.containers;
    assert.ok(existsSync(join(folder.paths.pods, running.pod.name)));
    assert.ok(await waitUntil(() => (container?.restarts ?? 0) > 0, { timeoutMs: 5000 }));
    await running.users.stop(0);
    const log = readFileSync(join(folder.paths.logs, `${running.pod.name}.app.log`), 'utf8');
    assert.match(log, /^cannot start: no disk\n\[telltale\] users-.*\/app ended: code 7\n/);
    assert.equal(existsSync(join(folder.paths.pods, running.pod.name)), false);
  });
});
