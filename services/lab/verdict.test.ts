import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadParameters } from './parameters.ts';
import { type AnyScenario, type Arm, defineScenario } from './scenario.ts';
import { checkAll, evidenceCheck, figureResult, headlineOf, shownNumber, verdictOf } from './verdict.ts';

const parameters = loadParameters({ rate: 1, seconds: 1, repetitions: 2 });
const arm = <const Name extends string>(name: Name): Arm<typeof parameters, 'ms', Name> => ({
  name,
  title: name,
  run: async () => ({ ms: 1 }),
});
const scenario = defineScenario({
  name: 'verdict',
  claim: { says: 'one is faster', by: 'nobody' },
  describe: { question: 'x', method: 'x', reading: 'x', limits: ['x'] },
  parameters,
  figures: { ms: { title: 'Time', unit: 'ms' } },
  arms: [arm('one')],
  controls: [arm('other')],
  headline: { figure: 'ms', arm: 'one', control: 'other' },
  checks: [
    { says: 'one is below 10', test: ({ one }) => ({ passed: Math.max(...one.ms) < 10, observed: `${Math.max(...one.ms)}` }) },
  ],
  depends: ({ other }) => (Math.max(...other.ms) > 1000 ? 'on how slow the other is' : undefined),
}) as unknown as AnyScenario;

function verdict(one: number[], other: number[], evidence = evidenceCheck(100, 100, 0)) {
  const measured = { one: { ms: one }, other: { ms: other } };
  return verdictOf(scenario, measured, headlineOf(scenario, measured), checkAll(scenario, measured), evidence);
}

test('a verdict holds, does not hold, or depends, and says which check failed with what it saw', () => {
  assert.equal(verdict([1, 2], [100, 101]).kind, 'holds');
  const failed = verdict([1, 12], [100, 101]);
  assert.equal(failed.kind, 'does not hold');
  assert.match(failed.sentence, /one is below 10 \(was: 12\)/);
  assert.deepEqual(verdict([1, 2], [1001, 1002]), {
    kind: 'depends',
    sentence: '“one is faster” depends: on how slow the other is.',
  });
});

test('a verdict is refused when repetitions differ by more than the arms, or when there is nothing to compare', () => {
  const noisy = verdict([1, 90], [95, 100]);
  assert.equal(noisy.kind, 'inconclusive');
  assert.match(noisy.sentence, /Repetitions differ by 89, one and other by 52/);
  assert.equal(verdict([0, 0], [0, 0]).kind, 'inconclusive');
  assert.equal(verdict([], [100, 101]).kind, 'inconclusive');
  assert.equal(verdict([Number.NaN, 1], [100, 101]).kind, 'inconclusive');
});

test('arms that do not differ, in a run that would have seen a tenth, refute the claim', () => {
  const failed = verdict([2000, 2010], [2005, 2001]);
  assert.deepEqual([failed.kind, /one is below 10/.test(failed.sentence)], ['does not hold', true]);
  assert.match(verdict([1, 1], [1, 1]).sentence, /does not hold here: one and other do not differ/);
});

test('a verdict is refused when records are missing or were dropped', () => {
  assert.equal(verdict([1, 2], [100, 101], evidenceCheck(1000, 990, 0)).kind, 'holds');
  for (const evidence of [evidenceCheck(1000, 989, 0), evidenceCheck(100, 100, 1), evidenceCheck(0, 0, 0)]) {
    assert.match(verdict([1, 2], [100, 101], evidence).sentence, /Evidence is missing/);
  }
});

test('a verdict on a latency is refused when the lab was saturated in an arm that is compared, and only then', () => {
  const measured = { one: { ms: [1, 2] }, other: { ms: [100, 101] } };
  const kind = (figures: AnyScenario['figures'], saturated: string[]) => {
    const timed = { ...scenario, figures };
    const headline = headlineOf(timed, measured);
    return verdictOf(timed, measured, headline, checkAll(timed, measured), evidenceCheck(9, 9, 0), saturated);
  };
  const latency = { ms: { title: 'Time', unit: 'ms', latency: true } } as const;
  for (const name of ['one', 'other']) {
    const refused = kind(latency, [name]);
    assert.equal(refused.kind, 'inconclusive');
    assert.match(refused.sentence, new RegExp(`^The lab was saturated in ${name}, so its latencies \\(Time\\) are its own`));
  }
  assert.equal(kind(latency, []).kind, 'holds');
  assert.equal(kind(latency, ['a third']).kind, 'holds');
  assert.equal(kind(scenario.figures, ['one']).kind, 'holds');
});

test('a check that throws has not passed, and a number that there is not becomes null', () => {
  assert.deepEqual(checkAll(scenario, {})[0]?.passed, false);
  assert.deepEqual(figureResult([1, Number.NaN]), { median: null, min: null, max: null, values: [1, null] });
  assert.deepEqual([null, 0.04321, 12, 1234.5].map(shownNumber), ['–', '0.0432', '12', '1235']);
});
