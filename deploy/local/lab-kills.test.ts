import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { LabServiceService as Lab } from '../../proto/gen/telltale/lab/v1/lab.ts';
import type { Client } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { meshControl } from '../../services/lab/control.ts';
import { localApi } from '../../services/lab/kubernetes-api.ts';
import { readResult } from '../../services/lab/read-result.ts';
import type { Result } from '../../services/lab/result.ts';
import { runPaths } from './paths.ts';
import { isIdle, labFrom } from './testing-labs.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { quickSettings } from './testing-scenarios.ts';

const QUICK = quickSettings('deadlines');

describe('killed in the middle of a run', () => {
  let mesh: TestMesh;
  let lab: Client<typeof Lab>;
  before(async () => {
    mesh = await startTestMesh({ transform: labFrom('testing-scaling-lab.ts') });
    lab = mesh.client(Lab);
    await until('the lab answers', async () => (await lab.listScenarios({}, soon())).scenarios.length > 0);
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const soon = () => ({ deadline: deadlineIn(10_000) });
  async function run(scenario: string, parameters: Record<string, string> = {}): Promise<Result | undefined> {
    for await (const { event } of lab.runScenario({ scenario, parameters }, { deadline: deadlineIn(120_000) }))
      if (event?.$case === 'result') return readResult(event.value.document);
    return undefined;
  }
  const newest = async () => {
    const [{ resultId = '' } = {}] = (await lab.listResults({ scenario: '' }, soon())).results;
    return readResult((await lab.getResult({ resultId }, soon())).document);
  };
  const replicas = () => meshControl(localApi(runPaths(mesh.runDir).socket)).replicas('users', AbortSignal.timeout(5000));
  const labPod = () => mesh.pods('lab')[0]?.name ?? assert.fail('no lab');

  /** Begins a run of three pods of users, and resolves to the end of its stream when its load is under way. */
  async function scaled(): Promise<{ ended: Promise<Result | undefined> }> {
    const ended = run('scaling').catch(() => undefined);
    await until('three pods serve its calls', async () => (await replicas()) === 3 && !(await isIdle(mesh)));
    return { ended };
  }
  /** Nothing is left of a run but a result that says so, and the next run comes to its end. */
  async function assertNothingLeft(sentence: RegExp): Promise<void> {
    await until('no handler works any more', () => isIdle(mesh));
    await until('users has its two pods', async () => (await replicas()) === 2 && mesh.pods('users').length === 2);
    const { scenario, verdict, passed } = await newest();
    assert.deepEqual([scenario, verdict.kind, passed], ['scaling', 'incomplete', false]);
    assert.match(verdict.sentence, sentence);
    await assertRuns();
  }
  async function assertRuns(): Promise<void> {
    await mesh.whenReady();
    const result = await run('deadlines', QUICK);
    assert.ok(result && result.verdict.kind !== 'incomplete', `${result?.verdict.sentence}`);
  }

  it('the lab leaves no load, no pod more, and a result that is incomplete', async () => {
    const { ended } = await scaled();
    mesh.killContainer(labPod(), 'app', 'SIGKILL');
    assert.equal(await ended, undefined);
    await until('the lab is there again', () => lab.listScenarios({}, soon()).then(Boolean));
    await assertNothingLeft(/^The run is under way, or the lab was ended in the middle of it\.$/);
  });

  it('the lab that is told to stop ends the run itself', async () => {
    const { ended } = await scaled();
    mesh.killContainer(labPod(), 'app', 'SIGTERM');
    assert.equal(await ended, undefined);
    await until('the lab is there again', async () => {
      const [pod] = mesh.pods('lab');
      return pod?.ready === true && (await newest()).verdict.kind === 'incomplete';
    });
    await assertNothingLeft(/^The run was stopped after 0 of 4 repetitions\.$/);
  });

  it('a pod of a service makes the run incomplete, which names it', async () => {
    const running = run('deadlines', { ...QUICK, seconds: '8' });
    await until('calls are under way', async () => !(await isIdle(mesh)));
    const [pod] = mesh.pods('users');
    assert.ok(pod);
    mesh.killContainer(pod.name, 'app', 'SIGKILL');
    const result = await running;
    assert.ok(result?.verdict.kind === 'incomplete', `${result?.verdict.sentence}`);
    assert.match(result.verdict.sentence, new RegExp(`after 0 of 4 repetitions: ${pod.name} of users ended or`));
    assert.deepEqual((await newest()).verdict, result.verdict);
    await until('no handler works any more', () => isIdle(mesh));
    await assertRuns();
  });
});

/** Waits until it is so; what rejects meanwhile, as something is being killed, is not so yet. Throws an Error that says what it waited for. */
async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + 40_000;
  while (!(await check().catch(() => false))) {
    if (performance.now() > giveUp) throw new Error(`not within 40 s: ${what}`);
    await wait(50);
  }
}
