import assert from 'node:assert/strict';
import { test } from 'node:test';
import { armResult, resultOf } from '../testing-results.ts';
import { compareText } from './compare-text.ts';

test('compareText has each arm of two results, with dashes where one of them has it not', () => {
  const local = resultOf('one');
  const cluster = resultOf('one', { arms: [armResult('fast', false, 2, 4), armResult('more', true, 50)] });
  for (const [a, b, row] of [
    [local, cluster, /more +│ Time, ms │ +– │ +50 │ +– /],
    [cluster, local, /more +│ Time, ms │ +50 │ +– │ +– /],
  ] as const) {
    const text = compareText(a, b);
    assert.match(text, row);
    assert.match(text, /fast +│ Time, ms │ .* │ +(2|0\.5) /);
  }
});
