import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LabServiceService as Lab } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { type Client, createClient } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import type { Result } from '../../services/lab/result.ts';
import { quickSettings } from '../local/testing-scenarios.ts';
import { kubectlJson, type Pod, type PortForward, portForward, restartsOf, settled } from './kubectl.ts';

describe('the lab in the cluster', () => {
  let edge: PortForward;
  let lab: Client<typeof Lab>;
  before(async () => {
    await settled();
    edge = await portForward('service/edge', 8080);
    lab = createClient(Lab, { address: edge.address });
  });
  after(() => {
    lab?.[Symbol.dispose]();
    edge?.[Symbol.dispose]();
  });

  async function run(scenario: string): Promise<Result> {
    const request = { scenario, parameters: quickSettings(scenario, 'dns') };
    for await (const { event } of lab.runScenario(request, { deadline: deadlineIn(300_000) }))
      if (event?.$case === 'result') return JSON.parse(event.value.document);
    return assert.fail('no result');
  }

  const replicas = async () => {
    const { items } = await kubectlJson<{ items: { metadata: { name: string }; spec: { replicas: number } }[] }>(
      'get',
      'deployments',
    );
    return items.map(({ metadata, spec }) => `${metadata.name}: ${spec.replicas}`).sort();
  };

  it('passes every scenario with quick settings, and leaves the mesh as it was', { timeout: 480_000 }, async t => {
    const before = await replicas();
    const { scenarios } = await lab.listScenarios({}, { deadline: deadlineIn(10_000) });
    const failed: string[] = [];
    for (const { name } of scenarios) {
      const startedAt = performance.now();
      const { verdict, passed, headline, conditions } = await run(name);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
      t.diagnostic(`${name}: ${headline.armMedian} against ${headline.controlMedian}, ${seconds} s`);
      if (!passed) failed.push(`${name}: ${verdict.sentence}`);
      assert.deepEqual([conditions.mode, conditions.droppedRecords], ['cluster', 0]);
    }
    assert.deepEqual(failed, []);
    await settled();
    assert.deepEqual(await replicas(), before);
    const { items } = await kubectlJson<{ items: Pod[] }>('get', 'pods', '-l', 'app.kubernetes.io/instance=telltale');
    assert.equal(restartsOf(items), 0);
  });
});
