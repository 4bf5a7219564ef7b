import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LabServiceService as Lab } from '../../proto/gen/telltale/lab/v1/lab.ts';
import type { Client } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { until } from '../../services/kit/testing-matchers.ts';
import { readResult } from '../../services/lab/read-result.ts';
import type { Result } from '../../services/lab/result.ts';
import { CLUSTER_DELAY_MS } from './endpoints.ts';
import { labFrom } from './testing-labs.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { quickSettings } from './testing-scenarios.ts';

describe('a lab whose scenarios have lost what their claims are about', () => {
  let mesh: TestMesh;
  let lab: Client<typeof Lab>;
  before(async () => {
    mesh = await startTestMesh({ endpointDelayMs: CLUSTER_DELAY_MS, transform: labFrom('testing-broken-lab.ts') });
    lab = mesh.client(Lab);
    await until(() => lab.listScenarios({}, { deadline: deadlineIn(5000) }).then(Boolean, () => false));
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  async function run(scenario: string): Promise<Result> {
    const request = { scenario, parameters: quickSettings(scenario) };
    for await (const { event } of lab.runScenario(request, { deadline: deadlineIn(240_000) }))
      if (event?.$case === 'result') return readResult(event.value.document);
    return assert.fail('no result');
  }

  it('passes none of them: each has a check that fails, and not for want of evidence', { timeout: 600_000 }, async t => {
    const { scenarios } = await lab.listScenarios({}, { deadline: deadlineIn(10_000) });
    assert.ok(scenarios.length >= 3);
    const unseen: string[] = [];
    for (const { name } of scenarios) {
      await mesh.whenReady();
      const startedAt = performance.now();
      const { passed, checks, verdict } = await run(name);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
      const evidence = checks.at(-1);
      const failed = checks.slice(0, -1).filter(check => !check.passed);
      const which = failed.map(({ says, observed }) => `${says} (was: ${observed})`).join('; ');
      t.diagnostic(`${name}, ${seconds} s, ${verdict.kind}: ${which}`);
      if (passed || failed.length === 0 || !evidence?.passed) unseen.push(`${name}: ${verdict.sentence}`);
    }
    assert.deepEqual(unseen, []);
  });
});
