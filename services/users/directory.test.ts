import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createDirectory, DIRECTORY_SIZE } from './directory.ts';

/** SHA-256 of the whole data set. A change here is a change of everybody's data: say so in the changelog. */
const CHECKSUM = '60481eee3410b0b15f29800746e535bda970a0257d1d2892aa456484f026d260';

const directory = createDirectory();
const everybody = directory.page(0, DIRECTORY_SIZE + 1);

test('createDirectory makes the data set of its checksum', () => {
  const lines = everybody.map(({ id, name, age }) => `${id},${name},${age}\n`);
  assert.equal(createHash('sha256').update(lines.join('')).digest('hex'), CHECKSUM);
});

test('createDirectory makes 10,000 users with ids from 1, names, and ages from 18 to 95', () => {
  assert.equal(everybody.length, 10_000);
  for (const [index, { id, name, age }] of everybody.entries()) {
    assert.equal(id, index + 1);
    assert.match(name, /^\p{Lu}\p{Ll}+$/u);
    assert.ok(Number.isInteger(age) && age >= 18 && age <= 95);
  }
});

test('createDirectory draws ages as the population has them: every age, and few of the oldest', () => {
  const ages = everybody.map(user => user.age);
  assert.equal(new Set(ages).size, 95 - 18 + 1);
  const share = (from: number, to: number) => ages.filter(age => age >= from && age <= to).length / ages.length;
  assert.ok(Math.abs(share(25, 34) - 0.17) < 0.02);
  assert.ok(Math.abs(share(85, 95) - 0.03) < 0.01);
});

test('find returns Alice, 30, for id 123, and nothing for an id that nobody has', () => {
  assert.deepEqual(directory.find(123), { id: 123, name: 'Alice', age: 30 });
  assert.equal(directory.find(1)?.id, 1);
  assert.equal(directory.find(10_000)?.id, 10_000);
  for (const id of [0, -1, 10_001, 2 ** 31 - 1]) assert.equal(directory.find(id), undefined);
});

test('page returns the users after an id, fewer at the end, none after it', () => {
  const ids = (afterId: number, count: number) => directory.page(afterId, count).map(user => user.id);
  assert.deepEqual(ids(0, 2), [1, 2]);
  assert.deepEqual(ids(9_999, 2), [10_000]);
  assert.deepEqual(ids(10_000, 2), []);
});
