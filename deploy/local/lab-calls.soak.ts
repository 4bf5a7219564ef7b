import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LabServiceService as Lab } from '../../proto/gen/telltale/lab/v1/lab.ts';
import type { Client } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { until } from '../../services/kit/testing-matchers.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { runScenario } from './testing-scenarios.ts';

describe('the lab, given more calls than a quick run has', () => {
  let mesh: TestMesh;
  let lab: Client<typeof Lab>;
  before(async () => {
    mesh = await startTestMesh();
    lab = mesh.client(Lab);
    await until(() => lab.listScenarios({}, { deadline: deadlineIn(5000) }).then(Boolean, () => false));
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  it('sees the budget fall at every hop in each of a thousand calls', { timeout: 200_000 }, async t => {
    const { checks } = await runScenario(lab, 'deadlines', { rate: '30', seconds: '17', repetitions: '2' }); // 1,020 with propagation
    const falling = checks.find(({ says }) => says.includes('budget falls strictly'));
    t.diagnostic(checks.map(({ says, observed }) => `${says}: ${observed}`).join('; '));
    assert.equal(falling?.passed, true, `${falling?.observed}`);
  });

  it('has every record of 10,000 calls at 100 a second', { timeout: 200_000 }, async () => {
    const { conditions } = await runScenario(lab, 'channel-per-call', { rate: '100', seconds: '25', repetitions: '2' });
    const { calls, completeCalls, droppedRecords } = conditions;
    assert.deepEqual([calls, completeCalls, droppedRecords], [10_000, 10_000, 0]);
  });
});
