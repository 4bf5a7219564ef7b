import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenarioNames } from '../../services/lab/catalog.ts';
import type { Result, VerdictKind } from '../../services/lab/result.ts';
import { sampleResult } from '../../services/lab/testing-result.ts';
import { quickSettings, runAllQuickly } from './testing-scenarios.ts';

/** A lab whose runs end with these verdicts, scenario by scenario; all others hold. */
function fakeLab(verdicts: Record<string, VerdictKind[]>, names = scenarioNames(), saturated: string | null = null) {
  const ran: string[] = [];
  const said: string[] = [];
  const lab = {
    listScenarios: async () => ({ scenarios: names.map(name => ({ name, claim: '', claimedBy: '' })) }),
    async *runScenario({ scenario }: { scenario: string }) {
      ran.push(scenario);
      const kind = verdicts[scenario]?.shift() ?? 'holds';
      const passed = kind === 'holds';
      const checks = [{ says: 'it is so', passed, observed: '7' }];
      const arms = sampleResult.arms.map(arm => ({ ...arm, cpu: { ...arm.cpu, saturated } }));
      const result: Result = { ...sampleResult, arms, scenario, verdict: { kind, sentence: `it ${kind}.` }, passed, checks };
      yield { event: { $case: 'result' as const, value: { document: JSON.stringify(result) } } };
    },
  };
  const timesOf = (name: string) => ran.filter(each => each === name).length;
  return { lab, said, say: (text: string) => said.push(text), timesOf };
}

test('runAllQuickly runs every scenario that there is a file for, and none again that holds', async () => {
  const { lab, say, timesOf } = fakeLab({});
  assert.deepEqual(await runAllQuickly(lab, say), []);
  assert.ok(scenarioNames().includes('deadlines') && scenarioNames().every(name => timesOf(name) === 1));
  const fewer = fakeLab({}, ['deadlines']);
  assert.match((await runAllQuickly(fewer.lab, fewer.say)).join(), /the lab has deadlines, and not all/);
});

test('runAllQuickly repeats, twice at most, what could not tell, and says so', async () => {
  const { lab, say, said, timesOf } = fakeLab({
    deadlines: ['inconclusive', 'inconclusive'],
    drain: ['inconclusive', 'inconclusive', 'inconclusive'],
  });
  const failures = await runAllQuickly(lab, say);
  assert.deepEqual(failures, ['drain: it inconclusive.', 'drain: failed: it is so: 7']);
  assert.deepEqual([timesOf('deadlines'), timesOf('drain')], [3, 3]);
  assert.equal(said.filter(text => text.startsWith('deadlines: is run again')).length, 2);
});

test('runAllQuickly repeats what was saturated, whatever it said', async () => {
  const { lab, say, said, timesOf } = fakeLab({ deadlines: ['does not hold'] }, scenarioNames(), 'machine');
  assert.deepEqual(await runAllQuickly(lab, say), []);
  assert.equal(timesOf('deadlines'), 2);
  assert.ok(said.some(text => text.startsWith('deadlines: is run again, for it could not tell, being saturated')));
});

test('runAllQuickly repeats nothing that had room and does not hold, says what has failed, and goes on with the others', async () => {
  const { lab, say, said, timesOf } = fakeLab({ deadlines: ['does not hold'] });
  const failures = await runAllQuickly(lab, say, () => []);
  assert.deepEqual(failures, ['deadlines: it does not hold.', 'deadlines: failed: it is so: 7']);
  assert.ok(failures.every(failure => said.includes(failure)));
  assert.ok(scenarioNames().every(name => timesOf(name) === 1));
});

test('runAllQuickly fails a scenario that passes and is judged wrong, and one that gives no result', async () => {
  const { lab, say } = fakeLab({});
  const slow = await runAllQuickly(lab, say, (_, seconds) => (seconds < 90 ? ['was fast'] : []));
  assert.deepEqual(
    slow.toSorted(),
    scenarioNames()
      .map(name => `${name}: was fast`)
      .toSorted(),
  );
  assert.match(slow.slice(-2).join(), /^balancing: .*,drain: /, 'those that replace pods are the last');
  const silent = { ...lab, runScenario: async function* () {} };
  assert.match((await runAllQuickly(silent, say))[0] ?? '', /gave no result/);
  const document = JSON.stringify({ ...sampleResult, arms: [] });
  const broken = {
    ...lab,
    runScenario: async function* () {
      yield { event: { $case: 'result' as const, value: { document } } };
    },
  };
  assert.match((await runAllQuickly(broken, say))[0] ?? '', /this is no result: #\/arms/);
});

test('quickSettings has what a scenario sets, what differs in a cluster, and else the same for all', () => {
  assert.deepEqual(quickSettings('deadlines'), { rate: '10', seconds: '1', repetitions: '2' });
  assert.deepEqual(quickSettings('cancellation'), { rate: '20', seconds: '5', repetitions: '2' });
  assert.deepEqual(quickSettings('cancellation', 'cluster'), { rate: '10', seconds: '5', repetitions: '2' });
  assert.throws(() => quickSettings('deadline'), /did you mean deadlines/);
});
