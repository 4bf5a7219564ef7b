import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { all, atLeast, atMost, type Compared, decimals, exactly, inEvery, none, observe, ratio } from './checks.ts';

const passed = (compared: readonly Compared[]) => compared.map(({ passed }) => passed);

describe('checks', () => {
  it('atLeast compares the smallest value with its limit, and shows it', () => {
    assert.deepEqual(atLeast(0.9, [1, 0.95]), { passed: true, shown: '95.0 %' });
    assert.deepEqual(atLeast(0.9, [0.89, 1]), { passed: false, shown: '89.0 %' });
    assert.deepEqual(passed([atLeast(2, 2), atLeast(2, 1.99)]), [true, false]);
  });

  it('atMost compares the largest value with its limit, and shows it', () => {
    assert.deepEqual(atMost(0.05, [0, 0.05]), { passed: true, shown: '5.0 %' });
    assert.deepEqual(atMost(0.05, [0.06, 0]), { passed: false, shown: '6.0 %' });
    assert.deepEqual(passed([atMost(2, 2), atMost(2, 2.01)]), [true, false]);
  });

  it('exactly passes for its number alone', () => {
    assert.deepEqual(exactly(1, 1), { passed: true, shown: '1' });
    assert.deepEqual(passed([exactly(1, 0), exactly(1, 2)]), [false, false]);
  });

  it('all and none look at every repetition of every arm', () => {
    assert.deepEqual(all([1, 1], [1]), { passed: true, shown: '100.0 %' });
    assert.deepEqual(all([1, 1], [1, 0.99]), { passed: false, shown: '99.0 %' });
    assert.deepEqual(none([0, 0], [0]), { passed: true, shown: '0.0 %' });
    assert.deepEqual(none([0, 0.01], [0]), { passed: false, shown: '1.0 %' });
  });

  it('no comparison passes on NaN, or on nothing', () => {
    for (const values of [[], [Number.NaN], [1, Number.NaN], [0, Number.NaN]]) {
      const compared = [atLeast(0, values), atMost(1, values), all(values), none(values)];
      assert.deepEqual(passed(compared), [false, false, false, false], `${values}`);
    }
    assert.deepEqual(passed([atLeast(0, Number.NaN), atMost(1, Number.NaN), exactly(Number.NaN, Number.NaN)]), [
      false,
      false,
      false,
    ]);
  });

  it('inEvery has the values of one figure, and of every arm', () => {
    const arms = { one: { ms: [1, 2], other: [7] }, two: { ms: [3], other: [8] } };
    assert.deepEqual(inEvery(arms, 'ms'), [1, 2, 3]);
  });

  it('ratio divides the median of one arm by that of the other', () => {
    assert.equal(ratio([1, 2, 9], [4, 4]), 0.5);
    assert.ok(Number.isNaN(ratio([], [1])));
  });

  it('decimals writes so many digits', () => {
    assert.deepEqual([decimals(0)(1.6), decimals(2)(1.006)], ['2', '1.01']);
  });

  it('observe passes when all of its comparisons do, and says what they have seen', () => {
    const seen = (one: number, other: number) =>
      observe`${atLeast(1, one)} with, ${atMost(3, other, decimals(1))} ms of ${'10'}`;
    assert.deepEqual(seen(1, 3), { passed: true, observed: '100.0 % with, 3.0 ms of 10' });
    assert.equal(seen(0.5, 3).passed, false);
    assert.equal(seen(1, 4).passed, false);
  });
});
