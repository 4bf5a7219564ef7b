import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { LabServiceService as Lab } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { type Client, createClient } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { readResult } from '../../services/lab/read-result.ts';
import type { Result } from '../../services/lab/result.ts';
import { isWorking } from '../local/testing-labs.ts';
import { SERVICES } from '../local/testing-mesh.ts';
import { quickSettings } from '../local/testing-scenarios.ts';
import { kubectl, kubectlJson, type PortForward, podsOf, portForward, settled, until } from './kubectl.ts';

const QUICK = quickSettings('deadlines');
const SLOWLY = { ...QUICK, seconds: '20' };
/** How long a pod may take to be replaced, and what it has left behind to be gone, in milliseconds. */
const AWAY_MS = 90_000;

describe('killed in the middle of a run, in the cluster', () => {
  let edge: PortForward;
  let lab: Client<typeof Lab>;
  let replicasBefore: string[];
  before(async () => {
    await settled();
    edge = await portForward('service/edge', 8080);
    lab = createClient(Lab, { address: edge.address });
    replicasBefore = await replicas();
  });
  after(() => {
    lab?.[Symbol.dispose]();
    edge?.[Symbol.dispose]();
  });

  const soon = () => ({ deadline: deadlineIn(10_000) });
  async function run(parameters: Record<string, string>, signal?: AbortSignal): Promise<Result> {
    const limits = { deadline: deadlineIn(180_000), ...(signal && { signal }) };
    for await (const { event } of lab.runScenario({ scenario: 'deadlines', parameters }, limits))
      if (event?.$case === 'result') return readResult(event.value.document);
    return assert.fail('no result');
  }
  const newest = async (): Promise<Result> => {
    const [{ resultId = '' } = {}] = (await lab.listResults({ scenario: '' }, soon())).results;
    return readResult((await lab.getResult({ resultId }, soon())).document);
  };
  const replicas = async () => {
    const { items } = await kubectlJson<{ items: { metadata: { name: string }; spec: { replicas: number } }[] }>(
      'get',
      'deployments',
    );
    return items.map(({ metadata, spec }) => `${metadata.name}: ${spec.replicas}`).sort();
  };
  /** Whether a handler is at work at some pod; asked from within, as pods need not be reachable from here. */
  const working = async () => {
    const ask = 'fetch("http://127.0.0.1:9464/metrics").then(r => r.text()).then(t => console.log(t))';
    const pods = (await Promise.all(SERVICES.map(podsOf))).flat();
    const texts = pods.map(({ metadata }) => kubectl(['exec', metadata.name, '-c', 'app', '--', 'node', '-e', ask]));
    return (await Promise.all(texts)).some(isWorking);
  };
  const kill = async (service: string): Promise<string> => {
    const name = (await podsOf(service))[0]?.metadata.name ?? assert.fail(`there is no pod of ${service}`);
    await kubectl(['delete', 'pod', name, '--force', '--grace-period=0']);
    return name;
  };
  /** Nothing is left of a run but its result, which is incomplete, and the next run comes to its end. */
  async function assertNothingLeft(): Promise<Result> {
    await settled();
    await until('no handler works any more', AWAY_MS, async () => !(await working()));
    await until('the lab answers', AWAY_MS, () => newest().then(Boolean, () => false));
    const kept = await newest();
    assert.deepEqual([kept.verdict.kind, kept.passed], ['incomplete', false]);
    assert.deepEqual(await replicas(), replicasBefore);
    const { verdict } = await run(QUICK);
    assert.notEqual(verdict.kind, 'incomplete', verdict.sentence);
    return kept;
  }

  it('its caller leaves nothing but an incomplete result', { timeout: 300_000 }, async () => {
    const caller = new AbortController();
    const cancelled = assert.rejects(run(SLOWLY, caller.signal), { code: status.CANCELLED });
    await until('calls are under way', AWAY_MS, working);
    caller.abort();
    await cancelled;
    assert.match((await assertNothingLeft()).verdict.sentence, /was stopped after/);
  });

  it('the pod of the lab leaves nothing but an incomplete result', { timeout: 300_000 }, async () => {
    const failed = assert.rejects(run(SLOWLY));
    await until('calls are under way', AWAY_MS, working);
    await kill('lab');
    await failed;
    await assertNothingLeft();
  });

  it('a pod of users leaves an incomplete result that names it', { timeout: 300_000 }, async () => {
    const running = run(SLOWLY);
    await until('calls are under way', AWAY_MS, working);
    const name = await kill('users');
    const { verdict } = await running;
    assert.equal(verdict.kind, 'incomplete', verdict.sentence);
    assert.ok(verdict.sentence.includes(`${name} of users ended`), verdict.sentence);
    assert.deepEqual((await assertNothingLeft()).verdict, verdict);
  });
});
