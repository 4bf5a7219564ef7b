import { Metadata } from '@grpc/grpc-js';
import { OrderServiceService } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { StorefrontServiceService } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { type Client, createClient } from '../kit/client.ts';
import { RpcError } from '../kit/rpc-error.ts';
import type { Conditions } from './result.ts';

/** How calls leave the lab. */
export interface Ways {
  /** The egress of the lab's own sidecar, "host:port". */
  readonly egress: string;
  /** The same, where one connection may carry more calls. */
  readonly wide: string;
  /** Where the lab runs; in a cluster, DNS knows the pods. */
  readonly mode: Conditions['mode'];
  /** The folder of the lab's own identity, for calls past its sidecar; empty where the mesh has no TLS. */
  readonly identity: string;
}

/** The services that a scenario may call: a client of each, and the ways for a client of its own. */
export interface Mesh extends Disposable {
  readonly storefront: Client<typeof StorefrontServiceService>;
  readonly users: Client<typeof UserServiceService>;
  readonly orders: Client<typeof OrderServiceService>;
  readonly payments: Client<typeof PaymentServiceService>;
  /** Makes another channel to users, with a connection of its own. Dispose of what it returns. */
  readonly usersByAnother: () => Client<typeof UserServiceService>;
  /** Makes one whose connection may carry all calls at once, as many as a scenario begins. Dispose of what it returns. */
  readonly usersByWide: () => Client<typeof UserServiceService>;
  readonly ways: Ways;
}

/** The address of the pod that the caller's Envoy has chosen for a call, by the metadata of its answer; empty when none is named. */
export function chosenPod(metadata: Metadata): string {
  return String(metadata.get('telltale-egress-upstream')[0] ?? '').replace(/:\d+$/, '');
}

/** The address of the pod that has answered a call that failed, as the caller's Envoy says; empty when no answer has come through it. */
export function failedPod(error: unknown): string {
  const cause = error instanceof RpcError ? (error.cause as { metadata?: unknown } | undefined) : undefined;
  return cause?.metadata instanceof Metadata ? chosenPod(cause.metadata) : '';
}

/** Makes the clients, one channel each. */
export function meshClients(ways: Ways): Mesh {
  const { egress: address, wide } = ways;
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
    usersByAnother: () => createClient(UserServiceService, { address, ownConnection: true }),
    usersByWide: () => createClient(UserServiceService, { address: wide, ownConnection: true }),
    ways,
    [Symbol.dispose]: () => {
      for (const client of all) client[Symbol.dispose]();
    },
  };
}
