import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { type Database, type DatabaseLocation, type Dialect, openDatabase } from './database.ts';
import { findPostgresql, startPostgresql, type TestPostgresql } from './testing-postgresql.ts';

/** What {@link onEachDatabase} hands to a suite. */
export interface DatabaseTest {
  readonly dialect: Dialect;
  /** Where a new, empty database is. */
  locate(): Promise<DatabaseLocation>;
  /** Opens a database; it is closed after the suite's last test. */
  open(location: DatabaseLocation): Promise<Database>;
  /** The server, for tests that stop it; undefined for SQLite, which has none. */
  server(): TestPostgresql | undefined;
}

/**
 * Defines the same suite twice: for SQLite and for PostgreSQL. Where no PostgreSQL server is installed, that half is skipped
 * with a line that says how to install one; with CI=true it fails instead.
 */
export async function onEachDatabase(define: (test: DatabaseTest) => void): Promise<void> {
  const programs = await findPostgresql();
  const missing = 'no PostgreSQL server is installed: `apt-get install postgresql` or `brew install postgresql`';
  describe('on SQLite', () => define(databaseTest('sqlite', undefined)));
  describe('on PostgreSQL', { skip: !programs && process.env.CI !== 'true' && missing }, () => {
    define(databaseTest('postgresql', programs));
  });
}

function databaseTest(dialect: Dialect, programs: string | undefined): DatabaseTest {
  const opened: Database[] = [];
  let folder: string;
  let server: TestPostgresql | undefined;
  let files = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'telltale-db-'));
    if (dialect === 'sqlite') return;
    if (!programs) throw new Error('CI=true, and no PostgreSQL server is installed');
    server = await startPostgresql(programs);
  });
  after(async () => {
    await Promise.all(opened.map(database => database.close()));
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  return {
    dialect,
    async locate() {
      const file = join(folder, `${++files}`, 'test.db');
      return server ? { url: await server.createDatabase(), file } : { file };
    },
    async open(location) {
      const database = await openDatabase(location);
      opened.push(database);
      return database;
    },
    server: () => server,
  };
}
