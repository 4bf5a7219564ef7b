import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSlowly } from './slow-reader.ts';

const EXPECTED = 40;
const LINES = 2000;

/** A stream whose items are there at once; each is some hundred kilobytes of heap. */
async function* stream() {
  for (let n = 0; n < EXPECTED; n++) yield { n, lines: Array.from({ length: LINES }, (_, at) => ({ text: `${n}/${at}` })) };
}
const read = (eager: boolean) =>
  readSlowly(stream(), {
    expected: EXPECTED,
    workMs: 1,
    eager,
    signal: new AbortController().signal,
    keep: ({ n }) => n,
  });

test('readSlowly holds one item at a time, or all, as it is told, and sees the difference in the live heap', async () => {
  const [paced, eager] = [await read(false), await read(true)];
  for (const { items, takenAt } of [paced, eager]) {
    assert.deepEqual(items, [...Array(EXPECTED).keys()]);
    assert.equal(takenAt.length, EXPECTED);
  }
  assert.equal(paced.heldMost, 1);
  assert.ok(eager.heldMost > EXPECTED / 2, `${eager.heldMost}`);
  assert.ok(eager.heapBytes > 1e6 && paced.heapBytes < eager.heapBytes / 2, `${paced.heapBytes}, ${eager.heapBytes}`);
});

test('readSlowly throws what its stream throws, and the reason of its signal', async () => {
  const broken = async function* () {
    yield* [1, 2];
    throw new Error('cut');
  };
  for (const eager of [false, true]) {
    const never = new AbortController().signal;
    const limits = { expected: 3, workMs: 1, eager, keep: (item: number) => item };
    await assert.rejects(readSlowly(broken(), { ...limits, signal: never }), /cut/);
    const aborted = AbortSignal.abort(new Error('enough'));
    await assert.rejects(readSlowly(broken(), { ...limits, signal: aborted }), /enough/);
  }
});
