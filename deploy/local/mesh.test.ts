import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { parse } from 'yaml';
import type { KubeObject } from './manifest.ts';
import { type Mesh, type MeshOptions, startMesh } from './mesh.ts';
import { runPaths } from './paths.ts';
import { processIdentity } from './process-identity.ts';
import { deployment, headlessService, type TestFolder, testFolder } from './testing-chart.ts';
import { waitUntil } from './wait.ts';

function objects(folder: TestFolder, env: Record<string, string> = {}): KubeObject[] {
  const users = folder.container('app', 8082, env);
  const edge = folder.container('envoy', 8080);
  return [
    headlessService('users'),
    deployment('users', 2, { containers: [users] }),
    deployment('edge', 1, { containers: [edge] }),
  ];
}

const running: Mesh[] = [];
/** An address of this process's own. */
const hostAddress = `127.212.${process.pid >> 8}.${process.pid & 255}`;

async function start(folder: TestFolder, options: Partial<MeshOptions> = {}, env: Record<string, string> = {}) {
  const mesh = await startMesh({
    runDir: join(folder.dir, 'run with späce'),
    chart: folder.chart(objects(folder, env)),
    ...options,
  });
  running.push(mesh);
  return mesh;
}

// A test that fails must not leave a mesh behind, which would keep the tests from ending.
afterEach(() => Promise.all(running.splice(0).map(mesh => mesh.stop(0))));

describe('startMesh', () => {
  it('runs a chart: pods, endpoints, edge; restarts, scales, kills; and leaves nothing', async () => {
    using folder = testFolder();
    const paths = runPaths(join(folder.dir, 'run with späce'));
    const mesh = await start(folder);
    const pids = () => mesh.pods('users').flatMap(({ containers }) => containers.flatMap(({ pid }) => pid ?? []));
    const seen = new Set<number>();
    try {
      await mesh.whenReady();
      assert.equal((await fetch(`http://${mesh.edge}/`)).status, 200);
      const { resources } = parse(readFileSync(join(paths.endpoints, 'users.yaml'), 'utf8'));
      assert.equal(resources[0].endpoints[0].lb_endpoints.length, 2);
      const [first] = mesh.pods('users');
      for (const pid of pids()) seen.add(pid);
      mesh.killContainer(first?.name ?? '', 'app', 'SIGKILL');
      const restarts = () => mesh.pods('users').find(({ name }) => name === first?.name)?.containers[0]?.restarts;
      assert.ok(await waitUntil(() => restarts() === 1, { timeoutMs: 5000 }));
      await mesh.restart('users');
      assert.ok(!mesh.pods('users').some(({ name }) => name === first?.name));
      await mesh.scale('users', 3);
      assert.deepEqual(
        mesh.pods('users').map(({ ready }) => ready),
        [true, true, true],
      );
      for (const pid of pids()) seen.add(pid);
      assert.throws(() => mesh.pods('user'), /unknown service "user". Did you mean users\? Services: edge, users/);
      assert.throws(() => mesh.killContainer('users-none', 'app', 'SIGKILL'), /no process runs/);
    } finally {
      await mesh.stop();
    }
    assert.deepEqual(
      [...seen].filter(pid => processIdentity(pid)),
      [],
    );
    assert.deepEqual(
      readdirSync(paths.dir).sort(),
      ['helm', 'logs', 'volumes'].filter(name => existsSync(join(paths.dir, name))),
    );
    await mesh.stop();
  });

  it('lets two meshes run at once, each with addresses of its own', async () => {
    using one = testFolder();
    using two = testFolder();
    const meshes = await Promise.all([start(one), start(two)]);
    const nets = meshes.map(mesh => mesh.edge.split('.')[2]);
    await Promise.all(meshes.map(mesh => mesh.stop(0)));
    assert.notEqual(nets[0], nets[1]);
  });

  it('fails early with the last lines of a container that cannot start', async () => {
    using folder = testFolder();
    const mesh = await start(folder, {}, { FAIL: 'no disk' });
    await assert.rejects(
      mesh.whenReady(),
      /users-.*\/app ended with code 7, \d restarts\. Its last lines .*\n.*cannot start: no disk/s,
    );
    await mesh.stop();
  });

  it('says what to do when an Envoy that cannot start says it in other words', async () => {
    using folder = testFolder();
    const frame = '[critical][backtrace] [./source/server/backtrace.h:167] #0: [0x7fd0f228e050]';
    const bug = '[error][envoy_bug] [./source/common/common/assert.h:66] #1 UNKNOWN [0x563ec201a215]';
    const mesh = await start(folder, {}, { FAIL: ['assert failure: inotify_fd_ >= 0.', bug, frame, ' at a frame'].join('\n') });
    const said = await mesh.whenReady().then(
      () => assert.fail('it is ready'),
      (error: Error) => error.message.split('\n'),
    );
    assert.match(said.at(-1) ?? '', /^Envoy got no inotify instance: .*make down.*fs\.inotify\.max_user_instances/);
    assert.equal(said.filter(line => line.startsWith('Envoy got no')).length, 1, 'once for all containers');
    assert.ok(said.some(line => line.includes('assert failure: inotify_fd_')));
    assert.doesNotMatch(said.join('\n'), /backtrace|UNKNOWN|at a frame/);
    await mesh.stop();
  });

  it('fails after the time-out with what is not ready', async () => {
    using folder = testFolder();
    const mesh = await start(folder, { timeoutMs: 1500 }, { READY: 'false' });
    await assert.rejects(mesh.whenReady(), /2 pods are not ready\nusers-.*\/app runs but is not ready/);
    await mesh.stop(0);
  });

  it('applies transform to the rendered objects', async () => {
    using folder = testFolder();
    const transform = (all: KubeObject[]) => all.filter(({ metadata }) => metadata.name === 'edge');
    const mesh = await start(folder, { transform });
    assert.throws(() => mesh.pods('users'), /unknown service/);
    await mesh.stop(0);
  });

  it('starts nothing when one of the Deployments cannot be run, or when there is another workload', async () => {
    using folder = testFolder();
    const { pids } = runPaths(join(folder.dir, 'run with späce'));
    const broken = deployment('zebra', 1, { containers: [{ name: 'app', image: 'postgres:18' }] });
    await assert.rejects(start(folder, { transform: all => [...all, broken] }), /no program for image postgres:18/);
    assert.equal(existsSync(pids), false);
    const set: KubeObject = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'postgresql' } };
    await assert.rejects(start(folder, { transform: all => [...all, set] }), /Deployments only, not StatefulSet postgresql/);
    assert.equal(folder.events().length, 0);
  });

  it('starts nothing when a port is taken, and gives everything back', async () => {
    using folder = testFolder();
    using other = testFolder();
    const first = await start(other, { hostAddress });
    await first.whenReady();
    await assert.rejects(start(folder, { hostAddress }), /port 8080 on 127\.212\.\S+ is taken by pid \d+ \(.*app\.mjs/);
    assert.deepEqual(readdirSync(runPaths(join(folder.dir, 'run with späce')).logs), []);
    await first.stop(0);
    const second = await start(folder, { hostAddress });
    await second.stop(0);
  });

  it('names all that is in the way at once, before anything starts', async () => {
    using folder = testFolder();
    const holder = createServer();
    await new Promise<void>(resolve => holder.listen(8080, hostAddress, resolve));
    const machine = { threads: new Map(), openFiles: 20, memory: 1 };
    const said = await start(folder, { hostAddress, machine }).then(
      () => assert.fail('it has started'),
      (error: Error) => error.message.split('\n'),
    );
    holder.close();
    assert.match(
      said[0] ?? '',
      /^port 8080 on .* is taken by pid \d+ \(.*\)\. Stop it, or give the edge another port: make up PORT=8081$/,
    );
    assert.match(said[1] ?? '', /^a process may open 20 files.*ulimit -n/);
    assert.match(said[2] ?? '', /^0 MiB of memory can be had/);
    assert.equal(said.length, 3);
    assert.equal(folder.events().length, 0);
  });

  it('stops what it has started when its signal is aborted', async () => {
    using folder = testFolder();
    const interrupt = new AbortController();
    const report = ({ stage }: { stage: string }) => stage === 'chart' && interrupt.abort();
    await assert.rejects(start(folder, { signal: interrupt.signal, report }), { name: 'AbortError' });
    assert.equal(existsSync(runPaths(join(folder.dir, 'run with späce')).supervisor), false);
  });

  it('takes its processes along when its own is killed', async () => {
    using folder = testFolder();
    const chart = folder.chart(objects(folder));
    const script = join(folder.dir, 'run.mjs');
    writeFileSync(
      script,
      `import { startMesh } from ${JSON.stringify(new URL('mesh.ts', import.meta.url).href)};
      const mesh = await startMesh(${JSON.stringify({ runDir: folder.paths.dir, chart })});
      await mesh.whenReady();
      console.log(JSON.stringify(mesh.pods('users').map(pod => pod.containers[0].pid)));`,
    );
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(output.toString()) as number[];
    assert.deepEqual(
      pids.map(pid => processIdentity(pid) !== undefined),
      [true, true],
    );
    parent.kill('SIGKILL');
    assert.ok(await waitUntil(() => pids.every(pid => processIdentity(pid) === undefined), { timeoutMs: 5000 }));
  });
});
