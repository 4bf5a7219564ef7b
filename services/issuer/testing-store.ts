import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConflictError, type Store } from './store.ts';

/** What every store must do, whatever it is made of; `open` makes one with two empty Secrets, `one` and `other`. */
export function testStore(open: () => Promise<Store>): void {
  it('holds nothing at first, and then what was written', async () => {
    const store = await open();
    const empty = await store.read('one');
    assert.deepEqual(empty.files, {});
    await store.write('one', { 'tls.crt': 'a\nä\n', 'tls.key': '' }, empty.version);
    const held = await store.read('one');
    assert.deepEqual(held.files, { 'tls.crt': 'a\nä\n', 'tls.key': '' });
    assert.deepEqual(await store.read('one'), held);
    assert.deepEqual((await store.read('other')).files, {});
  });

  it('changes and removes what it is told, and leaves the rest', async () => {
    const store = await open();
    await store.write('one', { a: '1', b: '2', c: '3' }, (await store.read('one')).version);
    await store.write('one', { b: undefined, c: '4', d: undefined }, (await store.read('one')).version);
    assert.deepEqual((await store.read('one')).files, { a: '1', c: '4' });
  });

  it('refuses a write that is based on what has changed since, however often', async () => {
    const store = await open();
    const { version } = await store.read('one');
    const other = await store.read('other');
    for (const text of ['1', '2', '3', '4']) {
      await store.write('one', { a: text }, (await store.read('one')).version);
      await assert.rejects(store.write('one', { a: 'stale' }, version), ConflictError);
      assert.deepEqual((await store.read('one')).files, { a: text });
    }
    await store.write('other', { a: '1' }, other.version);
  });

  it('lets exactly one of many writers win, whose files are all there', async () => {
    const store = await open();
    for (let round = 1; round <= 5; round++) {
      const { version } = await store.read('one');
      const writers = ['a', 'b', 'c', 'd'];
      const results = await Promise.allSettled(
        writers.map(name => store.write('one', { name, again: `${round} ${name}` }, version)),
      );
      const winners = writers.filter((_, index) => results[index]?.status === 'fulfilled');
      for (const result of results) assert.ok(result.status === 'fulfilled' || result.reason instanceof ConflictError);
      assert.equal(winners.length, 1);
      assert.deepEqual((await store.read('one')).files, { name: winners[0], again: `${round} ${winners[0]}` });
    }
  });
}
