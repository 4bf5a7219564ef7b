import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResult } from './read-result.ts';
import { sampleResult as result } from './testing-result.ts';

const [arm = assert.fail()] = result.arms;
const read = (more: object) => readResult(JSON.stringify({ ...result, ...more }));

test('readResult reads a result, also one of which it does not know all, and one of an arm without calls', () => {
  assert.deepEqual(read({}), JSON.parse(JSON.stringify(result)));
  assert.equal(read({ later: 'more' }).id, result.id);
});

test('readResult says where a document is no result', () => {
  const { verdict: _, ...without } = result;
  assert.throws(() => readResult(JSON.stringify(without)), /no result: .*verdict/);
  const wrong: [object, RegExp][] = [
    [{ id: '../etc/passwd' }, /#\/id:/],
    [{ verdict: { kind: 'won', sentence: 'It is.' } }, /#\/verdict\/kind:/],
    [{ startedAt: 'yesterday' }, /#\/startedAt:/],
    [{ passed: 'yes' }, /#\/passed:/],
    [{ arms: [arm] }, /#\/arms:/],
    [{ arms: [arm, { ...arm, figures: { ms: { ...arm.figures.ms, values: ['1'] } } }] }, /#\/arms\/1\/figures\/ms\/values\/0:/],
    [{ arms: [arm, { ...arm, statuses: { OK: -1 } }] }, /#\/arms\/1\/statuses\/OK:/],
    [{ conditions: { ...result.conditions, notTested: [] } }, /#\/conditions\/notTested:/],
  ];
  for (const [more, says] of wrong) assert.throws(() => read(more), says, JSON.stringify(more).slice(0, 80));
});

test('readResult knows its version only, and names the other', () => {
  assert.throws(() => read({ schemaVersion: 2 }), /a result of version 2, and known here is 1/);
  assert.throws(() => read({ schemaVersion: '1' }), /#\/schemaVersion:/);
});

test('readResult names what is not JSON, and what is no object', () => {
  for (const text of ['', '{"id": "fake-', '{} x']) assert.throws(() => readResult(text), /it is not JSON/);
  for (const text of ['null', '[]', '7', '{}']) assert.throws(() => readResult(text), /this is no result: #: /, text);
});
