import { OrderServiceService } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { StorefrontServiceService } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { createClient } from '../kit/client.ts';
import { formatAddress, kitVariables, readConfig } from '../kit/config.ts';
import { serve } from '../kit/serve.ts';
import { bind } from '../kit/server.ts';
import { storefront } from './storefront.ts';

const config = readConfig(kitVariables);
const egress = { address: formatAddress(config.TELLTALE_EGRESS) };
const users = createClient(UserServiceService, egress);
const orders = createClient(OrderServiceService, egress);

await serve({
  config,
  services: [bind(StorefrontServiceService, storefront({ users, orders }))],
  onStop: [() => users[Symbol.dispose](), () => orders[Symbol.dispose]()],
});
