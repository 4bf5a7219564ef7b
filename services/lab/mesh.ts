import { OrderServiceService } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { StorefrontServiceService } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { type Client, createClient } from '../kit/client.ts';

/** A client of every service that a scenario may call, and of nothing else. */
export interface Mesh extends Disposable {
  readonly storefront: Client<typeof StorefrontServiceService>;
  readonly users: Client<typeof UserServiceService>;
  readonly orders: Client<typeof OrderServiceService>;
  readonly payments: Client<typeof PaymentServiceService>;
}

/** Makes the clients: one channel each, to the egress of the lab's own sidecar, "host:port". */
export function meshClients(address: string): Mesh {
  const storefront = createClient(StorefrontServiceService, { address });
  const users = createClient(UserServiceService, { address });
  const orders = createClient(OrderServiceService, { address });
  const payments = createClient(PaymentServiceService, { address });
  const all = [storefront, users, orders, payments];
  return {
    storefront,
    users,
    orders,
    payments,
    [Symbol.dispose]: () => {
      for (const client of all) client[Symbol.dispose]();
    },
  };
}
