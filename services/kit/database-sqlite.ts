import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type Database, MIGRATION_TIMEOUT_MS, type Migration, type Row } from './database.ts';
import { pause } from './pause.ts';

/** The primary result codes of SQLite that say "another connection holds the lock": SQLITE_BUSY and SQLITE_LOCKED. */
const LOCKED = [5, 6];

/** How long to wait before a locked database is tried again: from 1 to this many milliseconds, at random. */
const RETRY_MS = 12;

/**
 * Opens a SQLite file, shared with the other processes of this machine; see {@link Database}.
 *
 * Each commit is on disk before it returns (write-ahead log, `synchronous = FULL`). A statement runs on the event loop and
 * blocks it for as long as SQLite works, typically well below a millisecond plus one fsync for a write; waiting for another
 * process's lock never blocks it.
 */
export async function openSqlite(file: string): Promise<Database> {
  mkdirSync(dirname(file), { recursive: true });
  const connection = new DatabaseSync(file, { timeout: 0 });
  const statements = new Map<string, StatementSync>();
  const opening = AbortSignal.timeout(MIGRATION_TIMEOUT_MS);
  await unlocked(
    () => connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON'),
    opening,
  );

  function prepared(text: string): StatementSync {
    const known = statements.get(text);
    if (known) return known;
    const statement = connection.prepare(text.replaceAll(/\$(\d+)/g, '?$1'));
    statement.setReadBigInts(true);
    statements.set(text, statement);
    return statement;
  }

  return {
    dialect: 'sqlite',
    query: <Result extends Row>(text: string, parameters: readonly Row[string][], signal: AbortSignal) =>
      unlocked(() => prepared(text).all(...parameters) as Result[], signal),
    migrate: (migrations, signal = AbortSignal.timeout(MIGRATION_TIMEOUT_MS)) =>
      unlocked(() => migrate(connection, migrations), signal),
    close: async () => connection.close(),
  };
}

/** Runs `work`, again and again for as long as another connection holds the lock it needs. */
async function unlocked<Result>(work: () => Result, signal: AbortSignal): Promise<Result> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return work();
    } catch (error) {
      if (!isLocked(error)) throw error;
    }
    await pause(1 + Math.random() * (RETRY_MS - 1), signal);
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && LOCKED.includes(Number(error.errcode) & 0xff);
}

function migrate(connection: DatabaseSync, migrations: readonly Migration[]): void {
  connection.exec('BEGIN IMMEDIATE');
  try {
    connection.exec('CREATE TABLE IF NOT EXISTS telltale_migrations (name TEXT PRIMARY KEY)');
    const record = connection.prepare('INSERT INTO telltale_migrations (name) VALUES (?1) ON CONFLICT DO NOTHING');
    for (const { name, sql } of migrations) {
      if (record.run(name).changes === 0) continue;
      connection.exec(typeof sql === 'string' ? sql : sql.sqlite);
    }
    connection.exec('COMMIT');
  } catch (error) {
    connection.exec('ROLLBACK');
    throw error;
  }
}
