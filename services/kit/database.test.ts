import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { status } from '@grpc/grpc-js';
import pg from 'pg';
import type { Database, DatabaseLocation, Migration } from './database.ts';
import { pause } from './pause.ts';
import { hasCode, type RpcError } from './rpc-error.ts';
import { type DatabaseTest, onEachDatabase } from './testing-database.ts';

const NEVER = new AbortController().signal;
const schema: Migration[] = [{ name: 'test/1', sql: 'CREATE TABLE things (name TEXT PRIMARY KEY, size BIGINT, note TEXT)' }];
const add = 'INSERT INTO things (name, size, note) VALUES ($1, $2, $1) ON CONFLICT (name) DO NOTHING RETURNING *';

await onEachDatabase(suite => {
  test('query returns text, every integer as bigint, and null', async () => {
    const database = await opened(suite);
    const [row] = await database.query(
      'SELECT $1 AS word, 1 AS one, size, note FROM things RIGHT JOIN (SELECT 2) two ON true',
      ['x'],
      NEVER,
    );
    assert.deepEqual({ ...row }, { word: 'x', one: 1n, size: null, note: null });
    const [large] = await database.query(add, ['large', 2n ** 63n - 1n], NEVER);
    assert.deepEqual({ ...large }, { name: 'large', size: 2n ** 63n - 1n, note: 'large' });
  });

  test('query: of many connections that insert the same key at once exactly one gets a row back', async () => {
    const location = await suite.locate();
    const databases = await Promise.all([0, 1, 2, 3].map(() => opened(suite, location)));
    const results = await Promise.all(
      databases.flatMap(each => [1n, 2n, 3n].map(size => each.query(add, ['key', size], NEVER))),
    );
    assert.equal(results.flat().length, 1);
  });

  test('query writes nothing when its signal has aborted, and throws the reason of the signal', async () => {
    const database = await opened(suite);
    const reason = new Error('the caller has gone');
    await assert.rejects(database.query(add, ['late', 1n], AbortSignal.abort(reason)), thrown => thrown === reason);
    assert.deepEqual(await database.query('SELECT name FROM things', [], NEVER), []);
  });

  test('query waits for a lock without blocking the process, ends when its signal aborts, and works again afterwards', async () => {
    const location = await suite.locate();
    const database = await opened(suite, location);
    const other = await lock(location);
    const abort = new AbortController();
    const waiting = database.query(add, ['blocked', 1n], abort.signal);
    const rejected = assert.rejects(waiting, thrown => thrown === 'enough');
    const started = performance.now();
    for (let round = 0; round < 10; round++) await pause(5, NEVER);
    assert.ok(performance.now() - started < 2000, 'timers ran late: something blocked the event loop');
    abort.abort('enough');
    await rejected;
    while (await other.isAwaited()) await pause(20, NEVER); // a server takes a moment to notice
    await other.unlock();
    assert.deepEqual(await database.query('SELECT name FROM things', [], NEVER), []);
    assert.equal((await database.query(add, ['next', 1n], NEVER)).length, 1);
  });

  test('query: a wrong statement rejects and leaves the database usable', async () => {
    const database = await opened(suite);
    await assert.rejects(database.query('SELECT name FROM nowhere', [], NEVER), /nowhere/);
    assert.equal((await database.query(add, ['next', 1n], NEVER)).length, 1);
  });

  test('migrate runs each step once and in order, also when many processes start at once', async () => {
    const location = await suite.locate();
    const steps = [...schema, { name: 'test/2', sql: 'ALTER TABLE things ADD COLUMN colour TEXT' }];
    const databases = await Promise.all([0, 1, 2, 3].map(() => suite.open(location)));
    await Promise.all(databases.map(database => database.migrate(steps)));
    for (const database of databases) assert.deepEqual(await database.query('SELECT colour FROM things', [], NEVER), []);
  });

  test('migrate takes back a step of which a part failed, and the ones before it, so that a corrected step can run', async () => {
    const database = await suite.open(await suite.locate());
    const broken = { name: 'test/2', sql: 'CREATE TABLE half (id BIGINT); CREATE TABLE half (id BIGINT)' };
    await assert.rejects(database.migrate([...schema, broken]), /already exists/);
    await database.migrate([...schema, { name: 'test/2', sql: 'CREATE TABLE half (whole BIGINT)' }]);
    assert.deepEqual(await database.query('SELECT whole FROM half', [], NEVER), []);
  });

  if (suite.dialect === 'postgresql') {
    test('query rejects with UNAVAILABLE while the server is down, and works when it is back', async () => {
      const server = suite.server();
      const database = await opened(suite);
      const idle = await opened(suite);
      const sleeping = assert.rejects(database.query('SELECT pg_sleep(20)', [], NEVER), isUnavailable);
      await server?.crash();
      await sleeping;
      await assert.rejects(idle.query('SELECT 1', [], NEVER), isUnavailable);
      const migrated = idle.migrate([{ name: 'test/late', sql: 'CREATE TABLE late (id BIGINT)' }]);
      await server?.start();
      await migrated;
      assert.equal((await database.query(add, ['back', 1n], NEVER)).length, 1);
    });

    test('migrate that cannot reach the server in time throws why, and not that time is up', async () => {
      const database = await suite.open({ url: 'postgresql://someone@127.0.0.1:1/test', file: '' });
      const error = await database.migrate(schema, AbortSignal.timeout(300)).catch((thrown: unknown) => thrown);
      assert.ok(isUnavailable(error));
      assert.match(String(error.cause), /ECONNREFUSED/);
    });

    test('query gives up the wait for a connection when its signal aborts, and no connection is lost', async () => {
      const database = await opened(suite);
      const abort = new AbortController();
      const all = Array.from({ length: 30 }, () => database.query('SELECT pg_sleep(20)', [], abort.signal));
      await pause(100, NEVER);
      abort.abort(new Error('enough'));
      for (const result of await Promise.allSettled(all)) assert.equal(result.status, 'rejected');
      const after = await Promise.all(Array.from({ length: 30 }, () => database.query('SELECT 1 AS one', [], NEVER)));
      assert.equal(after.flat().length, 30);
    });

    test('query shows no password when the server cannot be reached', async () => {
      const database = await suite.open({ url: 'postgresql://someone:hunter2@127.0.0.1:1/test', file: '' });
      const error = await database.query('SELECT 1', [], NEVER).catch((thrown: unknown) => thrown);
      assert.ok(isUnavailable(error));
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /hunter2/);
    });

    test('openDatabase dials the egress that leads to PostgreSQL instead of its host', async () => {
      const { url = '', file } = await suite.locate();
      const { pathname, searchParams } = new URL(url);
      const relay = createServer(socket => {
        const there = connect(`${searchParams.get('host')}/.s.PGSQL.5432`);
        socket
          .on('error', () => {})
          .pipe(there.on('error', () => {}))
          .pipe(socket);
      });
      await once(relay.listen(0, '127.0.0.1').unref(), 'listening');
      const egress = { host: '127.0.0.1', port: (relay.address() as AddressInfo).port };
      const database = await opened(suite, { url: `postgresql://telltale@nowhere.invalid:1${pathname}`, egress, file });
      assert.deepEqual(await database.query('SELECT name FROM things', [], NEVER), []);
    });
  } else {
    test('openDatabase makes SQLite write ahead and sync every commit', async () => {
      const location = await suite.locate();
      const database = await opened(suite, location);
      assert.equal((await database.query('PRAGMA journal_mode', [], NEVER))[0]?.journal_mode, 'wal');
      assert.equal((await database.query('PRAGMA synchronous', [], NEVER))[0]?.synchronous, 2n);
      assert.equal(readFileSync(location.file).subarray(0, 15).toString(), 'SQLite format 3');
    });
  }
});

async function opened(suite: DatabaseTest, location?: DatabaseLocation): Promise<Database> {
  const database = await suite.open(location ?? (await suite.locate()));
  await database.migrate(schema);
  return database;
}

/** Takes the lock that every insert into `things` needs, as another process would. */
async function lock({ url, file }: DatabaseLocation) {
  if (url === undefined) {
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    return { isAwaited: async () => false, unlock: async () => other.close() };
  }
  const other = new pg.Client({ connectionString: url });
  await other.connect();
  await other.query('BEGIN; LOCK TABLE things');
  const waiting = 'SELECT 1 FROM pg_locks WHERE NOT granted';
  return { isAwaited: async () => (await other.query(waiting)).rowCount !== 0, unlock: () => other.end() };
}

function isUnavailable(error: unknown): error is RpcError {
  return hasCode(error, status.UNAVAILABLE) && error.reason === 'DATABASE_UNAVAILABLE' && error.retryAfterMs === 1000;
}
