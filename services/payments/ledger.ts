import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { Charge, ChargeRequest } from '../../proto/gen/telltale/payments/v1/payments.ts';
import type { Database, Migration } from '../kit/database.ts';
import { metrics } from '../kit/metrics.ts';
import { RpcError } from '../kit/rpc-error.ts';

/** What was charged, and by whom: `replayed` when an earlier request had made the charge. */
export interface Charged {
  readonly charge: Charge;
  readonly replayed: boolean;
}

/** The charges that were ever made. Nothing in it changes or goes away. */
export interface Ledger {
  /**
   * Makes the charge of the request's key, or finds the one that is there; when it returns, the charge is on disk.
   *
   * However many requests race, in however many processes, a key is charged once. Nothing is charged when `signal` has
   * aborted before the write begins.
   *
   * @throws RpcError ALREADY_EXISTS (reason KEY_REUSED) when the key's charge has another order, amount or currency;
   *   the reason of `signal`; UNAVAILABLE as {@link Database.query}
   */
  charge(request: ChargeRequest, signal: AbortSignal): Promise<Charged>;

  /** The charge of a key, as it was committed; undefined when there is none. */
  find(key: string, signal: AbortSignal): Promise<Charge | undefined>;
}

const migrations: Migration[] = [
  {
    name: 'payments/1-charges',
    sql: `CREATE TABLE charges (
      idempotency_key TEXT PRIMARY KEY,
      charge_id TEXT NOT NULL UNIQUE,
      order_id TEXT NOT NULL,
      amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
      currency_code TEXT NOT NULL,
      charged_at_ms BIGINT NOT NULL
    )`,
  },
  {
    name: 'payments/2-append-only',
    sql: {
      sqlite: `
        CREATE TRIGGER charges_never_change BEFORE UPDATE ON charges BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
        CREATE TRIGGER charges_never_go BEFORE DELETE ON charges BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END`,
      postgresql: `
        CREATE FUNCTION refuse_to_change_charges() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
        CREATE TRIGGER charges_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charges
          FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_charges()`,
    },
  },
];

const COLUMNS = 'idempotency_key, charge_id, order_id, amount_minor, currency_code, charged_at_ms';
const INSERT = `INSERT INTO charges (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (idempotency_key) DO NOTHING RETURNING ${COLUMNS}`;
const FIND = `SELECT ${COLUMNS} FROM charges WHERE idempotency_key = $1`;

/** A row of the table `charges`. */
type ChargeRow = Readonly<Record<'idempotency_key' | 'charge_id' | 'order_id' | 'currency_code', string>> &
  Readonly<Record<'amount_minor' | 'charged_at_ms', bigint>>;

/** Opens the ledger in a database, whose schema it brings up to date first; see {@link Database.migrate}. */
export async function openLedger(database: Database): Promise<Ledger> {
  await database.migrate(migrations);
  const { charges } = metrics.ledger;

  async function find(key: string, signal: AbortSignal): Promise<Charge | undefined> {
    const [row] = await database.query<ChargeRow>(FIND, [key], signal);
    return row && fromRow(row);
  }

  return {
    find,
    async charge(request, signal) {
      const { idempotencyKey, orderId, amountMinor, currencyCode } = request;
      const values = [idempotencyKey, randomUUID(), orderId, amountMinor, currencyCode, BigInt(Date.now())];
      const [row] = await database.query<ChargeRow>(INSERT, values, signal);
      if (row) {
        charges.inc({ outcome: 'charged' });
        return { charge: fromRow(row), replayed: false };
      }
      const charge = await find(idempotencyKey, signal);
      if (!charge) throw new Error('a charge that was there is gone: the ledger is broken');
      const same = matches(charge, request);
      charges.inc({ outcome: same ? 'replayed' : 'refused' });
      if (!same) throw reused();
      return { charge, replayed: true };
    },
  };
}

function matches(charge: Charge, request: ChargeRequest): boolean {
  return (
    charge.orderId === request.orderId &&
    charge.amountMinor === request.amountMinor &&
    charge.currencyCode === request.currencyCode
  );
}

function reused(): RpcError {
  const message = 'idempotency_key: it was used with another order, amount or currency; choose a new key for a new charge';
  return new RpcError(status.ALREADY_EXISTS, message, { reason: 'KEY_REUSED' });
}

function fromRow(row: ChargeRow): Charge {
  return {
    chargeId: row.charge_id,
    idempotencyKey: row.idempotency_key,
    orderId: row.order_id,
    amountMinor: row.amount_minor,
    currencyCode: row.currency_code,
    chargedAt: new Date(Number(row.charged_at_ms)),
  };
}
