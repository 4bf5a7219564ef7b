import { join } from 'node:path';
import { OrderServiceService } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { createClient } from '../kit/client.ts';
import { formatAddress, kitVariables, readConfig, storeVariables } from '../kit/config.ts';
import { openDatabase } from '../kit/database.ts';
import { serve } from '../kit/serve.ts';
import { bind } from '../kit/server.ts';
import { openOrderStore } from './order-store.ts';
import { orders } from './orders.ts';

const config = readConfig({ ...kitVariables, ...storeVariables });
const database = await openDatabase({
  url: config.DATABASE_URL,
  egress: config.TELLTALE_DATABASE_EGRESS,
  file: join(config.TELLTALE_DATA_DIR, 'orders.db'),
});
const store = await openOrderStore(database);
const payments = createClient(PaymentServiceService, { address: formatAddress(config.TELLTALE_EGRESS) });

await serve({
  config,
  services: [bind(OrderServiceService, orders({ store, payments }))],
  ready: signal => database.query('SELECT 1', [], signal),
  onStop: [() => payments[Symbol.dispose](), () => database.close()],
});
