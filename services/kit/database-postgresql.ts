import { status } from '@grpc/grpc-js';
import pg from 'pg';
import { type Database, MIGRATION_TIMEOUT_MS, type Migration, type Row, type Value } from './database.ts';
import { metrics, samplers } from './metrics.ts';
import { pause } from './pause.ts';
import { hasCode, RpcError } from './rpc-error.ts';

/** How many connections a replica holds at most; a service's statements are short, so that few serve many calls. */
const POOL_SIZE = 8;

/** How long to wait for a connection, in milliseconds, before the database counts as unreachable. */
const CONNECT_TIMEOUT_MS = 5000;

/** The longest that one statement may take, in milliseconds, whatever deadline its caller has. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** How often the server looks, while a statement runs or waits, whether its connection was dropped, in milliseconds. */
const CONNECTION_CHECK_MS = 250;

/** How long {@link Database.migrate} waits between its attempts to reach the database, in milliseconds. */
const RECONNECT_MS = 250;

/** When a caller may try again while the database cannot be reached, in milliseconds: a pod of it that is replaced takes seconds. */
const RETRY_AFTER_MS = 1000;

/** The key of the advisory lock that a migration holds: "tell" in ASCII. */
const MIGRATION_LOCK = 0x74656c6c;

/**
 * SQLSTATE classes and codes that say nothing of the statement: connection failures (08), a standby that takes no writes
 * (25006), insufficient resources (53), and a server that is shutting down or starting up (57P).
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNREACHABLE = /^(08|25006|53|57P)/;

/** The types int8, int2 and int4, which all come back as bigint, so that both dialects agree. */
const INTEGERS = [20, 21, 23];

/** Opens a pool of connections to a PostgreSQL server, version 14 or later; connects when it is first used. See {@link Database}. */
export function openPostgresql(url: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    options: `-c client_connection_check_interval=${CONNECTION_CHECK_MS}`,
    keepAlive: true,
    types: { getTypeParser: (oid, format) => (INTEGERS.includes(oid) ? BigInt : pg.types.getTypeParser(oid, format)) },
  });
  // An idle connection that breaks has left the pool when this fires; the next query opens a new one and reports what is wrong.
  pool.on('error', () => {});
  const sample = () => {
    const { connections } = metrics.database;
    connections.set({ state: 'idle' }, pool.idleCount);
    connections.set({ state: 'busy' }, pool.totalCount - pool.idleCount);
    connections.set({ state: 'waiting' }, pool.waitingCount);
  };
  samplers.add(sample);

  return {
    dialect: 'postgresql',
    query: <Result extends Row>(text: string, parameters: readonly Value[], signal: AbortSignal) =>
      connected(pool, signal, async client => (await client.query<Result>(text, [...parameters])).rows),
    migrate: (migrations, signal = AbortSignal.timeout(MIGRATION_TIMEOUT_MS)) =>
      reached(() => connected(pool, signal, client => migrate(client, migrations)), signal),
    close: () => {
      samplers.delete(sample);
      return pool.end();
    },
  };
}

/**
 * Lends `work` a connection until it is done or `signal` aborts. One whose state is not known is dropped, upon which the
 * server gives up the statement that it still works on.
 */
async function connected<Result>(
  pool: pg.Pool,
  signal: AbortSignal,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await connect(pool, signal);
  let held = true;
  const release = (discard: boolean) => {
    if (held) client.release(discard);
    held = false;
  };
  const abort = () => release(true);
  const ignore = () => {}; // the query itself rejects as well; without a listener the event would end the process
  client.on('error', ignore);
  signal.addEventListener('abort', abort);
  try {
    const result = await work(client);
    release(false);
    return result;
  } catch (error) {
    release(!(error instanceof pg.DatabaseError) || isUnreachable(error));
    signal.throwIfAborted();
    throw translated(error);
  } finally {
    signal.removeEventListener('abort', abort);
    client.off('error', ignore);
  }
}

/** Takes a connection from the pool; when `signal` aborts first, it goes back as soon as the pool hands it out. */
async function connect(pool: pg.Pool, signal: AbortSignal): Promise<pg.PoolClient> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  const connecting = pool.connect();
  try {
    const client = await Promise.race([connecting, aborted.promise]);
    signal.throwIfAborted();
    return client;
  } catch (error) {
    if (!signal.aborted) throw translated(error);
    connecting.then(client => client.release()).catch(() => {});
    throw signal.reason;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Anything but the server's answer to the statement means that there was no whole conversation with a server. */
function isUnreachable(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || UNREACHABLE.test(error.code ?? '');
}

function translated(error: unknown): unknown {
  if (!isUnreachable(error)) return error;
  const options = { reason: 'DATABASE_UNAVAILABLE', retryAfterMs: RETRY_AFTER_MS, cause: error };
  return new RpcError(status.UNAVAILABLE, 'the database cannot be reached', options);
}

/** Runs `work` until the database can be reached; what kept it from being reached is thrown once `signal` has aborted. */
async function reached(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  let unreachable: unknown;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (hasCode(error, status.UNAVAILABLE)) unreachable = error;
      else throw signal.aborted ? (unreachable ?? error) : error;
    }
    await pause(RECONNECT_MS, signal).catch(() => Promise.reject(unreachable));
  }
}

async function migrate(client: pg.PoolClient, migrations: readonly Migration[]): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SET LOCAL statement_timeout = 0'); // the signal bounds it, and waiting for another replica is normal
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query('CREATE TABLE IF NOT EXISTS telltale_migrations (name TEXT PRIMARY KEY)');
    for (const { name, sql } of migrations) {
      const recorded = await client.query('INSERT INTO telltale_migrations (name) VALUES ($1) ON CONFLICT DO NOTHING', [name]);
      if (recorded.rowCount === 0) continue;
      await client.query(typeof sql === 'string' ? sql : sql.postgresql);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
