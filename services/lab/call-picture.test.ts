import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationsOf, endedWith, waitsOf } from './call-picture.ts';
import { picture } from './testing-pictures.ts';

const pictures = [picture([], { dueAt: -5, begunAt: 2, endedAt: 30 }), picture([], { status: 'CANCELLED', endedAt: 10 })];

test('endedWith is the share of calls with this status', () => {
  assert.deepEqual(
    ['OK', 'CANCELLED', 'UNKNOWN'].map(name => endedWith(pictures, name)),
    [0.5, 0.5, 0],
  );
});

test('waitsOf counts from when a call was due, durationsOf from when it was begun', () => {
  assert.deepEqual(
    [waitsOf(pictures), durationsOf(pictures)],
    [
      [35, 10],
      [28, 10],
    ],
  );
});
