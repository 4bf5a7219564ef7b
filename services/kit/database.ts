import { status } from '@grpc/grpc-js';
import { type Address, formatAddress } from './config.ts';
import { openPostgresql } from './database-postgresql.ts';
import { openSqlite } from './database-sqlite.ts';
import { metrics } from './metrics.ts';
import { hasCode } from './rpc-error.ts';

/** Which SQL database answers. */
export type Dialect = 'postgresql' | 'sqlite';

/** What a parameter of a statement and a column of a row can be; every integer comes back as a bigint. */
export type Value = string | bigint | null;

/** One row, by the names of its columns. */
export type Row = Readonly<Record<string, Value>>;

/** One step of a schema. Once released it never changes: what comes after is a new step. */
export interface Migration {
  /** Unique among all services that may share a database: "payments/1-charges". */
  readonly name: string;
  /** One or more statements; a text for each dialect where one text does not suit both. */
  readonly sql: string | Readonly<Record<Dialect, string>>;
}

/** A SQL database that all replicas of a service share. */
export interface Database {
  readonly dialect: Dialect;

  /**
   * Runs one statement, which is atomic, and returns its rows. When it returns, what it wrote is on disk.
   *
   * The text is the same for both dialects and names its parameters `$1`, `$2` and so on. Nothing is written when `signal`
   * has aborted before the statement begins; when it aborts while a PostgreSQL server runs it, the outcome is not known.
   *
   * @throws the reason of `signal` when it aborts; RpcError UNAVAILABLE (reason DATABASE_UNAVAILABLE, with when to try again)
   *   when the database cannot be reached; what the driver throws when the statement itself is wrong
   */
  query<Result extends Row = Row>(text: string, parameters: readonly Value[], signal: AbortSignal): Promise<Result[]>;

  /**
   * Runs those migrations that this database has not had, in order; each is written whole or not at all.
   *
   * Safe when several processes start at once: one migrates, the others wait for it. Waits for a database that is not up yet
   * until `signal` aborts, by default for 20 s, and then throws why it could not be reached.
   */
  migrate(migrations: readonly Migration[], signal?: AbortSignal): Promise<void>;

  /** Ends all connections; call it when no query is under way. */
  close(): Promise<void>;
}

/** How long {@link Database.migrate} waits for the database by default, in milliseconds; less than a liveness probe does. */
export const MIGRATION_TIMEOUT_MS = 20_000;

/**
 * Where a database is: PostgreSQL at `url` (postgresql://user:password@host:port/name), dialled at `egress` instead of its own host
 * where somebody leads there, else SQLite in `file`.
 */
export interface DatabaseLocation {
  readonly url?: string | undefined;
  readonly egress?: Address | undefined;
  readonly file: string;
}

/**
 * Opens a database: PostgreSQL when there is a `url`, else the embedded SQLite, whose file the processes of one machine may
 * share and which is made, with its folder, when it is not there.
 */
export async function openDatabase({ url, egress, file }: DatabaseLocation): Promise<Database> {
  return measured(url === undefined ? await openSqlite(file) : openPostgresql(dialled(url, egress)));
}

function dialled(url: string, egress: Address | undefined): string {
  if (!egress) return url;
  const there = new URL(url);
  there.host = formatAddress(egress);
  return there.href;
}

function measured(database: Database): Database {
  const { statementDuration } = metrics.database;
  return {
    ...database,
    query: async <Result extends Row>(text: string, parameters: readonly Value[], signal: AbortSignal) => {
      const start = performance.now();
      const end = (outcome: string) => statementDuration.observe({ outcome }, (performance.now() - start) / 1000);
      try {
        const rows = await database.query<Result>(text, parameters, signal);
        end('ok');
        return rows;
      } catch (error) {
        end(signal.aborted ? 'cancelled' : hasCode(error, status.UNAVAILABLE) ? 'unavailable' : 'error');
        throw error;
      }
    },
  };
}
