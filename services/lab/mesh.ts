import { Metadata } from '@grpc/grpc-js';
import { OrderServiceService } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { StorefrontServiceService } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { type Client, createClient } from '../kit/client.ts';
import { RpcError } from '../kit/rpc-error.ts';
import { type DirectUsers, type DirectUsersOptions, directUsers } from './scenarios/balancing/direct-users.ts';
import { createHttp1Users, type Http1Users } from './scenarios/multiplexing/http1-users.ts';

/** A client of every service that a scenario may call, and of nothing else. */
export interface Mesh extends Disposable {
  readonly storefront: Client<typeof StorefrontServiceService>;
  readonly users: Client<typeof UserServiceService>;
  readonly orders: Client<typeof OrderServiceService>;
  readonly payments: Client<typeof PaymentServiceService>;
  /** Makes another channel to users, with a connection of its own. Dispose of what it returns. */
  readonly usersByAnother: () => Client<typeof UserServiceService>;
  /** Makes one whose connection may carry all calls at once, as many as a scenario begins. Dispose of what it returns. */
  readonly usersByWide: () => Client<typeof UserServiceService>;
  /** Another way there, for a control: HTTP/1.1 over at most so many connections. Dispose of what it returns. */
  readonly usersByHttp1: (maxSockets: number) => Http1Users;
  /** And past the lab's own sidecar. */
  readonly usersDirectly: DirectUsers;
}

/** The address of the pod that the caller's Envoy has chosen for a call, by the metadata of its answer; empty when none is named. */
export function chosenPod(metadata: Metadata): string {
  return String(metadata.get('telltale-egress-upstream')[0] ?? '').replace(/:\d+$/, '');
}

/** Where the lab's clients lead. */
export interface MeshOptions {
  /** The egress of the lab's own sidecar, "host:port". */
  readonly egress: string;
  /** The same, where one connection may carry more calls. Default: `egress`. */
  readonly wide?: string;
  /** For what goes past the sidecar. */
  readonly direct: DirectUsersOptions;
}

/** The address of the pod that has answered a call that failed, as the caller's Envoy says; empty when no answer has come through it. */
export function failedPod(error: unknown): string {
  const cause = error instanceof RpcError ? (error.cause as { metadata?: unknown } | undefined) : undefined;
  return cause?.metadata instanceof Metadata ? chosenPod(cause.metadata) : '';
}

/** Makes the clients, one channel each. */
export function meshClients({ egress: address, wide = address, direct }: MeshOptions): Mesh {
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
    usersByHttp1: maxSockets => createHttp1Users(wide, maxSockets),
    usersDirectly: directUsers(direct),
    [Symbol.dispose]: () => {
      for (const client of all) client[Symbol.dispose]();
    },
  };
}
