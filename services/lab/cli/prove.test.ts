import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Result } from '../result.ts';
import { type Proof, proofOf, runAll, writeProof } from './prove.ts';

const result = (scenario: string, n: number, more: Partial<Result> = {}) =>
  ({
    scenario,
    passed: true,
    checks: [{ says: 'the control fails', passed: true, observed: '' }],
    verdict: { kind: 'holds', sentence: '' },
    headline: { figure: 'ms', arm: 'one', control: 'other', armMedian: n, controlMedian: 100 * n },
    ...more,
  }) as unknown as Result;

test('runAll runs all scenarios in each round, and one that cannot be run keeps no other from it', async () => {
  const { signal } = new AbortController();
  const asked: string[] = [];
  const { results, notRun } = await runAll(['a', 'b', 'c'], 2, signal, async (scenario, round) => {
    asked.push(`${scenario}${round}`);
    if (scenario === 'b' && round === 1) throw new Error('no answer');
    return result(scenario, round);
  });
  assert.deepEqual(asked, ['a1', 'b1', 'c1', 'a2', 'b2', 'c2']);
  assert.deepEqual(notRun, [{ scenario: 'b', because: 'no answer' }]);
  assert.deepEqual(
    results.map(({ scenario }) => scenario),
    ['a', 'c', 'a', 'b', 'c'],
  );
  assert.equal(proofOf({ results, notRun }, 2).passed, false);
});

test('runAll runs nothing more when it was stopped, and says so', async () => {
  const stop = new AbortController();
  const outcome = await runAll(['a', 'b'], 2, stop.signal, async scenario => {
    stop.abort();
    return result(scenario, 1);
  });
  assert.deepEqual(
    outcome.notRun.map(({ scenario, because }) => `${scenario}: ${because}`),
    ['b', 'a', 'b'].map(scenario => `${scenario}: it was stopped before`),
  );
});

test('proofOf tells how often each check passed, which verdicts there were, and how far the headline spreads', () => {
  const failed = {
    passed: false,
    checks: [{ says: 'the control fails', passed: false, observed: '' }],
    verdict: { kind: 'does not hold' as const, sentence: '' },
  };
  const results = [result('a', 3), result('a', 1, failed), result('a', 2), result('b', 7)];
  const { passed, repeats } = proofOf({ results, notRun: [] }, 3);
  assert.equal(passed, false);
  assert.deepEqual(repeats[0], {
    scenario: 'a',
    runs: 3,
    passed: 2,
    verdicts: { holds: 2, 'does not hold': 1 },
    checks: [{ says: 'the control fails', made: 3, passed: 2 }],
    headline: { figure: 'ms', arm: { min: 1, median: 2, max: 3 }, control: { min: 100, median: 200, max: 300 } },
  });
  assert.deepEqual([repeats[1]?.scenario, repeats[1]?.runs], ['b', 1]);
  assert.equal(proofOf({ results: [result('a', 1)], notRun: [] }, 1).passed, true);
});

test('writeProof has not passed without a scenario that was to be run, and names it, and why', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-proof-'));
  try {
    const notRun = [{ scenario: 'one', because: 'no answer' }];
    const [json = '', page = ''] = await writeProof(folder, proofOf({ results: [], notRun }, 1));
    const proof = JSON.parse(await readFile(json, 'utf8')) as Proof;
    assert.deepEqual([proof.passed, proof.notRun], [false, notRun]);
    assert.match(await readFile(page, 'utf8'), /Not run: one \(no answer\)/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
