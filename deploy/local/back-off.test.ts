import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { restartBackOff } from './back-off.ts';

describe('restartBackOff', () => {
  it('restarts at once, then after 0.5 s doubling to 30 s', () => {
    const backOff = restartBackOff();
    const waits = Array.from({ length: 9 }, () => backOff.next(1000));
    assert.deepEqual(waits, [0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('begins again after a life of 60 s, not after a shorter one', () => {
    const backOff = restartBackOff();
    backOff.next(0);
    assert.equal(backOff.next(59_999), 500);
    assert.equal(backOff.next(60_000), 0);
  });
});
