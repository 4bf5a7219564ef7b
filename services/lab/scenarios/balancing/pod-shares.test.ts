import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { picture, record } from '../../testing-pictures.ts';
import { type PodCall, podCalls, podShares, unevenness } from './pod-shares.ts';

const RATE = 100;
const [base, all] = [
  ['a', 'b'],
  ['a', 'b', 'c', 'd'],
];

/** Calls of so many seconds, 100 a second; `pods` says which take turns from each second on. */
function callsOf(seconds: number, pods: Record<number, readonly string[]>): PodCall[] {
  let turn: readonly string[] = [];
  return Array.from({ length: seconds * RATE }, (_, n) => {
    turn = pods[n / RATE] ?? turn;
    return { pod: turn[n % turn.length] ?? '', at: (n * 1000) / RATE };
  });
}
const sharesOf = (calls: readonly PodCall[]) => podShares(calls, { base, all, readyAt: 2000 }, RATE);
/** To a tenth. */
const rounded = (shares: object) => Object.values(shares).map(value => Math.round(value * 10) / 10);

describe('podShares', () => {
  it('sees when new pods have got their share, and that it is even from then on', () => {
    // until they had half of it in the second before: half a second after they began to have it
    assert.deepEqual(rounded(sharesOf(callsOf(8, { 0: base, 3: all }))), [1, 1, 1, 1.5]);
    // one of the two later than the other
    assert.deepEqual(rounded(sharesOf(callsOf(8, { 0: base, 3: ['a', 'b', 'c'], 5: all }))), [1, 1, 1, 3.5]);
  });

  it('sees pods that have theirs before they are said to be ready', () => {
    assert.deepEqual(rounded(sharesOf(callsOf(8, { 0: base, 1: all }))), [1, 1, 1, 0]);
  });

  it('sees that one pod has all, that new ones get nothing, and that only some of them get something', () => {
    assert.deepEqual(rounded(sharesOf(callsOf(8, { 0: ['a'] }))), [2, 4, 0, 6]);
    assert.deepEqual(rounded(sharesOf(callsOf(8, { 0: base }))), [1, 2, 0, 6]);
    assert.deepEqual(rounded(sharesOf(callsOf(8, { 0: base, 3: ['a', 'b', 'c'] }))), [1, 1.3, 0.5, 6]);
  });

  it('takes a few calls now and then for no share', () => {
    const few = callsOf(8, { 0: base }).map((call, n) => (n % 20 === 0 ? { ...call, pod: 'c' } : call));
    assert.equal(sharesOf(few).served, 0);
  });

  it('looks at 4 calls for each pod at least, however few a second there are', () => {
    const slow = Array.from({ length: 40 }, (_, n) => ({ pod: all[n % 4] ?? '', at: n * 500 }));
    const { served, seconds } = podShares(slow, { base, all, readyAt: 0 }, 2);
    assert.deepEqual([served, seconds], [1, 3.5]); // at the eighth call the last has two of the last sixteen
  });

  it('is not a number where there was nothing to see', () => {
    const { old, after, served } = sharesOf([]);
    assert.deepEqual([old, after, served], [Number.NaN, Number.NaN, 0]);
  });
});

it('unevenness is 1 when all pods have the same, and counts pods that have nothing', () => {
  const calls = ['a', 'a', 'a', 'b'].map(pod => ({ pod, at: 0 }));
  assert.equal(unevenness(calls, base), 1.5);
  assert.equal(unevenness(calls, ['a', 'b', 'c']), 2.25);
  assert.equal(unevenness(calls, ['a']), 1);
  assert.ok(Number.isNaN(unevenness(calls, ['c'])));
});

it('podCalls has each attempt of the calls that reached a method, in the order of their begin', () => {
  const get = (pod: string) => record('GetUser', { pod });
  const pictures = [
    picture([get('b')], { begunAt: 2 }),
    picture([record('Other', { pod: 'x' }), get('a'), get('b')], { begunAt: 1 }),
    picture([], { begunAt: 0 }),
  ];
  assert.deepEqual(podCalls(pictures, 'GetUser'), [
    { pod: 'a', at: 1 },
    { pod: 'b', at: 1 },
    { pod: 'b', at: 2 },
  ]);
});
