import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LabServiceService as Lab } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { type Client, createClient } from '../../services/kit/client.ts';
import type { Result } from '../../services/lab/result.ts';
import { quickSettings, runAllQuickly } from '../local/testing-scenarios.ts';
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

  const replicas = async () => {
    const { items } = await kubectlJson<{ items: { metadata: { name: string }; spec: { replicas: number } }[] }>(
      'get',
      'deployments',
    );
    return items.map(({ metadata, spec }) => `${metadata.name}: ${spec.replicas}`).sort();
  };

  it('passes every scenario with quick settings, and leaves the mesh as it was', { timeout: 900_000 }, async t => {
    const before = await replicas();
    const judge = ({ conditions: { mode, droppedRecords } }: Result) => [
      ...(mode === 'cluster' ? [] : [`ran in mode ${mode}`]),
      ...(droppedRecords === 0 ? [] : [`${droppedRecords} records were dropped`]),
    ];
    const failures = await runAllQuickly(lab, t.diagnostic.bind(t), judge, name => quickSettings(name, 'cluster'));
    assert.deepEqual(failures, []);
    await settled();
    assert.deepEqual(await replicas(), before);
    const { items } = await kubectlJson<{ items: Pod[] }>('get', 'pods', '-l', 'app.kubernetes.io/instance=telltale');
    assert.equal(restartsOf(items), 0);
  });
});
