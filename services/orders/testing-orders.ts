import { randomUUID } from 'node:crypto';
import { type CreateOrderRequest, OrderServiceService } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { openDatabase } from '../kit/database.ts';
import { type Binding, bind } from '../kit/server.ts';
import { ORDER, startServer } from '../kit/testing.ts';
import { openLedger } from '../payments/ledger.ts';
import { payments } from '../payments/payments.ts';
import { type OrderStore, openOrderStore } from './order-store.ts';
import { orders } from './orders.ts';

/** A valid order with an id of its own. */
export function orderRequest(changes: Partial<CreateOrderRequest> = {}): CreateOrderRequest {
  return { ...ORDER, orderId: randomUUID(), ...changes };
}

/** Starts orders and the payments that it calls, each on a port of its own, both with an empty database in memory. */
export async function startOrders() {
  const ledgerDatabase = await openDatabase({ file: ':memory:' });
  const storeDatabase = await openDatabase({ file: ':memory:' });
  const store = await openOrderStore(storeDatabase);
  const paymentsServer = await startServer([bind(PaymentServiceService, payments(await openLedger(ledgerDatabase)))]);
  const paymentsClient = paymentsServer.client(PaymentServiceService);

  /** The service with another store, as another replica would have it. */
  const bindOrders = (other: OrderStore): Binding =>
    bind(OrderServiceService, orders({ store: other, payments: paymentsClient }));
  const binding = bindOrders(store);
  const server = await startServer([binding]);

  return {
    store,
    server,
    client: server.client(OrderServiceService),
    binding,
    bindOrders,
    paymentsServer,
    paymentsClient,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await paymentsServer[Symbol.asyncDispose]();
      await Promise.all([ledgerDatabase.close(), storeDatabase.close()]);
    },
  };
}

/** What {@link startOrders} started. */
export type OrdersTest = Awaited<ReturnType<typeof startOrders>>;
