import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { kitVariables, readConfig } from './config.ts';
import { serve } from './serve.ts';
import { bind } from './server.ts';
import { emptyOrders } from './testing.ts';

/** A whole service process, for the tests of serve.ts. */
const config = readConfig(kitVariables);
await serve({ config, services: [bind(Orders, emptyOrders())], onStop: [() => console.log('{"msg":"closed"}')] });
