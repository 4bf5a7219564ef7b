import { status } from '@grpc/grpc-js';
import { type CreateOrderRequest, type Order, OrderLine, OrderState } from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { Database, Migration } from '../kit/database.ts';
import { RpcError } from '../kit/rpc-error.ts';

/** How the payment of an order ended. */
export type Settlement = { state: OrderState.PAID; chargeId: string } | { state: OrderState.REFUSED };

/** All orders. What every method throws besides: the reason of `signal`, and UNAVAILABLE as {@link Database.query}. */
export interface OrderStore {
  /**
   * Stores a new order as PENDING, or finds the one that is there: `added` says which.
   *
   * @throws RpcError ALREADY_EXISTS (reason ORDER_ID_REUSED) when the order that is there has other lines, another currency
   *   or another user
   */
  add(request: CreateOrderRequest, signal: AbortSignal): Promise<{ order: Order; added: boolean }>;

  /** Ends an order's payment and returns the order. One that is not PENDING any more, or not there, stays as it is. */
  settle(orderId: string, settlement: Settlement, signal: AbortSignal): Promise<Order | undefined>;

  /** The order with this id; undefined when there is none. */
  find(orderId: string, signal: AbortSignal): Promise<Order | undefined>;

  /**
   * The newest orders of a user, the newest first. Reads {@link PAGE_SIZE} at a time and the next ones when these have been
   * taken; orders stored meanwhile are not among them, and none comes twice.
   */
  list(userId: number, limit: number, signal: AbortSignal): AsyncIterable<Order>;
}

/** How many orders {@link OrderStore.list} holds in memory at most. */
export const PAGE_SIZE = 50;

const migrations: Migration[] = [
  {
    name: 'orders/1-orders',
    sql: `CREATE TABLE orders (
        order_id TEXT PRIMARY KEY,
        user_id BIGINT NOT NULL,
        lines TEXT NOT NULL,
        total_minor BIGINT NOT NULL,
        currency_code TEXT NOT NULL,
        state BIGINT NOT NULL,
        charge_id TEXT NOT NULL,
        created_at_ms BIGINT NOT NULL
      );
      CREATE INDEX orders_of_user ON orders (user_id, created_at_ms, order_id)`,
  },
];

const INSERT = `INSERT INTO orders (order_id, user_id, lines, total_minor, currency_code, state, charge_id, created_at_ms)
  VALUES ($1, $2, $3, $4, $5, $6, '', $7) ON CONFLICT (order_id) DO NOTHING RETURNING *`;
const FIND = 'SELECT * FROM orders WHERE order_id = $1';
const SETTLE = `UPDATE orders SET state = $2, charge_id = $3 WHERE order_id = $1 AND state = ${OrderState.PENDING} RETURNING *`;
const PAGE = `SELECT * FROM orders WHERE user_id = $1 AND (created_at_ms, order_id) < ($2, $3)
  ORDER BY created_at_ms DESC, order_id DESC LIMIT $4`;

/** A row of the table `orders`; `lines` is a JSON array of OrderLine in its proto3 JSON form. */
type OrderRow = Readonly<Record<'order_id' | 'lines' | 'currency_code' | 'charge_id', string>> &
  Readonly<Record<'user_id' | 'total_minor' | 'state' | 'created_at_ms', bigint>>;

/** A time later than that of any order. */
const FOREVER = 2n ** 63n - 1n;

/** Opens the orders in a database, whose schema it brings up to date first; see {@link Database.migrate}. */
export async function openOrderStore(database: Database): Promise<OrderStore> {
  await database.migrate(migrations);

  async function find(orderId: string, signal: AbortSignal): Promise<Order | undefined> {
    const [row] = await database.query<OrderRow>(FIND, [orderId], signal);
    return row && fromRow(row);
  }

  return {
    find,
    async add(request, signal) {
      const [row] = await database.query<OrderRow>(INSERT, toValues(request), signal);
      if (row) return { order: fromRow(row), added: true };
      const order = await find(request.orderId, signal);
      if (!order) throw new Error('an order that was there is gone');
      if (!matches(order, request)) throw reused();
      return { order, added: false };
    },
    async settle(orderId, settlement, signal) {
      const chargeId = settlement.state === OrderState.PAID ? settlement.chargeId : '';
      const [row] = await database.query<OrderRow>(SETTLE, [orderId, BigInt(settlement.state), chargeId], signal);
      return row ? fromRow(row) : find(orderId, signal);
    },
    async *list(userId, limit, signal) {
      let last = { created_at_ms: FOREVER, order_id: '' };
      for (let left = limit; left > 0; left -= PAGE_SIZE) {
        const size = Math.min(left, PAGE_SIZE);
        const values = [BigInt(userId), last.created_at_ms, last.order_id, BigInt(size)];
        const rows = await database.query<OrderRow>(PAGE, values, signal);
        for (const row of rows) yield fromRow(row);
        if (rows.length < size) return;
        last = rows.at(-1) ?? last;
      }
    },
  };
}

/** The sum over all lines in the currency's minor unit. */
function totalMinor(lines: readonly OrderLine[]): bigint {
  return lines.reduce((total, line) => total + BigInt(line.quantity) * line.unitPriceMinor, 0n);
}

function toValues({ orderId, userId, lines, currencyCode }: CreateOrderRequest) {
  const state = BigInt(OrderState.PENDING);
  return [orderId, BigInt(userId), toJson(lines), totalMinor(lines), currencyCode, state, BigInt(Date.now())];
}

function toJson(lines: readonly OrderLine[]): string {
  return JSON.stringify(lines.map(line => OrderLine.toJSON(line)));
}

function fromRow(row: OrderRow): Order {
  return {
    orderId: row.order_id,
    userId: Number(row.user_id),
    lines: (JSON.parse(row.lines) as unknown[]).map(line => OrderLine.fromJSON(line)),
    totalMinor: row.total_minor,
    currencyCode: row.currency_code,
    state: Number(row.state) as OrderState,
    createdAt: new Date(Number(row.created_at_ms)),
    chargeId: row.charge_id,
  };
}

function matches(order: Order, request: CreateOrderRequest): boolean {
  return (
    order.userId === request.userId &&
    order.currencyCode === request.currencyCode &&
    toJson(order.lines) === toJson(request.lines)
  );
}

function reused(): RpcError {
  const message = 'order_id: it names an order with other lines, another currency or another user; choose a new one';
  return new RpcError(status.ALREADY_EXISTS, message, { reason: 'ORDER_ID_REUSED' });
}
