import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { LabServiceService as Lab } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import type { Client } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { until } from '../../services/kit/testing-matchers.ts';
import { proofOf, writeProof } from '../../services/lab/cli/prove.ts';
import { meshControl } from '../../services/lab/control.ts';
import { localApi } from '../../services/lab/kubernetes-api.ts';
import type { Result } from '../../services/lab/result.ts';
import { CLUSTER_DELAY_MS } from './endpoints.ts';
import { repo, runPaths } from './paths.ts';
import { isIdle } from './testing-labs.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { quickSettings, runAllQuickly, runScenario } from './testing-scenarios.ts';

const CLI = join(repo, 'services', 'lab', 'cli.ts');
const QUICK = quickSettings('deadlines');
const SLOWLY = { ...QUICK, seconds: '20' };
describe('the lab in a local mesh', () => {
  let mesh: TestMesh;
  let lab: Client<typeof Lab>;
  before(async () => {
    mesh = await startTestMesh({ endpointDelayMs: CLUSTER_DELAY_MS });
    lab = mesh.client(Lab);
    const storefront = mesh.client(Storefront, mesh.pods('lab')[0]);
    const isAnswered = (call: Promise<unknown>) => call.then(Boolean, () => false);
    await until(() => isAnswered(lab.listScenarios({}, soon())));
    await until(() => isAnswered(storefront.getProfile({ userId: 1, orderLimit: 1 }, soon())));
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const soon = () => ({ deadline: deadlineIn(10_000) });
  const run = (scenario: string, parameters: Record<string, string>) => runScenario(lab, scenario, parameters);
  const newest = async () => (await lab.listResults({ scenario: '' }, soon())).results[0];

  it('passes every scenario with quick settings, each within two minutes and a half', { timeout: 900_000 }, async t => {
    const results: Result[] = [];
    const judge = (result: Result, seconds: number) => {
      const { mode, droppedRecords, versions } = result.conditions;
      if (result.passed) results.push(result);
      return [
        ...(seconds < 150 ? [] : [`took ${seconds.toFixed(0)} s`]),
        ...(mode === 'local' ? [] : [`ran in mode ${mode}`]),
        ...(droppedRecords === 0 ? [] : [`${droppedRecords} records were dropped`]),
        ...(/^\d+\.\d+\.\d+$/.test(versions.envoy ?? '') ? [] : [`knows no version of Envoy: ${versions.envoy}`]),
      ];
    };
    assert.deepEqual(await runAllQuickly(lab, t.diagnostic.bind(t), judge), []);
    const [, page = ''] = await writeProof(mesh.runDir, proofOf({ results, notRun: [] }, 1));
    const html = await readFile(page, 'utf8');
    assert.match(html, new RegExp(`${results.length} of ${results.length} scenarios passed`));
    for (const { id } of results) assert.ok(html.includes(id), `the page lacks ${id}`);
    assert.equal(html.split('<svg').length - 1, results.length, 'a plot for each');
  });

  it('fails a scenario whose calls do not show what they shall: a deadline that is longer than the work', async () => {
    const { passed, verdict } = await run('deadlines', { ...QUICK, budget: '5000', work: '100' });
    assert.equal(passed, false);
    assert.match(verdict.kind, /^(does not hold|inconclusive)$/);
  });

  it('says what each service used, and the command line shows it', async () => {
    const args = ['--address', mesh.edge, 'run', 'deadlines', '--json'];
    for (const [name, value] of Object.entries(QUICK)) args.push('--set', `${name}=${value}`);
    const child = spawn(process.execPath, [CLI, ...args]);
    const closed = new Promise(resolve => child.once('close', resolve));
    const { arms, passed } = JSON.parse(await text(child.stdout)) as Result;
    assert.deepEqual([await closed, passed], [0, true]);
    for (const { cpu } of arms) {
      assert.deepEqual(Object.keys(cpu.servicesPerCallUs).sort(), ['orders', 'payments', 'storefront', 'users']);
      assert.ok(Object.values(cpu.servicesPerCallUs).every(us => us > 0) && cpu.labPerCallUs > 0);
    }
  });

  it('whose caller is killed stops: no load is left, and the result is kept as incomplete', async () => {
    const args = ['--address', mesh.edge, 'run', 'cancellation'];
    for (const [name, value] of Object.entries(SLOWLY)) args.push('--set', `${name}=${value}`);
    const before = (await newest())?.resultId;
    const child = spawn(process.execPath, [CLI, ...args], { stdio: 'ignore' });
    await until(async () => !(await isIdle(mesh)));
    child.kill('SIGKILL');
    await until(async () => (await newest())?.verdict === 'incomplete');
    assert.notEqual((await newest())?.resultId, before);
    await until(() => isIdle(mesh));
    const { verdict } = await run('deadlines', QUICK);
    assert.notEqual(verdict.kind, 'incomplete');
  });

  it('gives a service its number of pods back when a run that has changed it is stopped', async () => {
    const stop = new AbortController();
    const request = { scenario: 'balancing', parameters: quickSettings('balancing') };
    const events = Array.fromAsync(lab.runScenario(request, { deadline: deadlineIn(120_000), signal: stop.signal }));
    const ended = assert.rejects(events, { code: status.CANCELLED });
    await until(() => mesh.pods('users').length === 4);
    stop.abort();
    await ended;
    await until(() => mesh.pods('users').length === 2);
    await until(async () => (await newest())?.verdict === 'incomplete');
    await mesh.scale('users', 2); // and the others are gone
  });

  it('takes records from the services of the mesh, and none that come by the edge', async () => {
    const none = async function* () {};
    const denied = { code: status.PERMISSION_DENIED, reason: 'FROM_OUTSIDE' };
    await assert.rejects(lab.reportRecords(none(), soon()), denied);
    const within = mesh.client(Lab, mesh.pods('users')[0]);
    assert.deepEqual(await within.reportRecords(none(), soon()), { receivedCount: 0n });
  });

  it('controls the pods of services, and no others, by the API that the local run answers', async () => {
    const { signal } = new AbortController();
    const control = meshControl(localApi(runPaths(mesh.runDir).socket));
    const names = mesh.pods('users').map(({ name }) => name);
    assert.deepEqual((await control.pods('users', signal)).map(({ name }) => name).sort(), names.sort());
    assert.ok((await control.pods('users', signal)).every(({ ready, terminating }) => ready && !terminating));
    await assert.rejects(control.pods('lab', signal), { reason: 'NOT_CONTROLLED' });
    await assert.rejects(control.killPod('users', 'edge-1', signal), { reason: 'NOT_CONTROLLED' });
    assert.equal(await control.replicas('users', signal), 2);
    await control.scale('users', 3, signal);
    await until(async () => (await control.pods('users', signal)).length === 3);
    const [first] = await control.pods('users', signal);
    await control.killPod('users', first?.name ?? '', signal);
    await until(async () => !(await control.pods('users', signal)).some(({ name }) => name === first?.name));
  });
});
