import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChecks } from '../../testing-checks.ts';
import { picture } from '../../testing-pictures.ts';
import { figuresOf } from './figures.ts';
import { scenario } from './payload.ts';

const figures = (bytes: readonly [number, number, number], codec200: number) => ({
  bytes1: [bytes[0], bytes[0]],
  bytes20: [bytes[1], bytes[1]],
  bytes200: [bytes[2], bytes[2]],
  codec1: [1, 1],
  codec20: [10, 10],
  codec200: [codec200, codec200],
  same: [1, 1],
});
const good = {
  protobuf: figures([180, 600, 4300], 80),
  'protobuf-gzip': figures([205, 500, 2500], 400),
  json: figures([480, 1500, 12_000], 70),
  'json-gzip': figures([470, 750, 3000], 600),
};

test('each check of payload fails on the arm that breaks it', () => {
  assertChecks(scenario, good, [
    ['protobuf', { bytes20: [1200, 1200] }, /Plain/],
    ['json', { bytes1: [200, 200] }, /Plain|of one/],
    ['protobuf-gzip', { bytes200: [2950, 2950] }, /on both sides/],
    ['json-gzip', { bytes20: [Number.NaN] }, /on both sides/],
    ['protobuf-gzip', { bytes200: [4200, 4200] }, /on both sides|Gzip saves/],
    ['json-gzip', { bytes1: [400, 400] }, /Gzip saves/],
    ['protobuf-gzip', { codec200: [90, 90] }, /paid for/],
    ['json', { same: [1, 0.99] }, /as it was sent/],
  ]);
});

test('the verdict depends on compression when JSON with gzip is smaller than plain Protocol Buffers, else on nothing', () => {
  assert.match(scenario.depends?.(good) ?? '', /^on compression, .* gzip take 3000 B and of plain Protocol Buffers 4300 B/);
  const other = { ...good, 'json-gzip': figures([470, 750, 5000], 600) };
  assert.equal(scenario.depends?.(other), undefined);
});

test('figuresOf counts a round that failed as orders that did not arrive', () => {
  const outcome = { bytes1: 1, bytes20: 2, bytes200: 3, codec1: 4, codec20: 5, codec200: 6, same: 1 };
  const turns = [
    { picture: picture([]), outcome },
    { picture: picture([]), outcome: undefined },
  ];
  assert.deepEqual(figuresOf(turns), { ...outcome, same: 0.5 });
});
