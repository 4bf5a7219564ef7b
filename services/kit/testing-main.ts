import { access } from 'node:fs/promises';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { kitVariables, readConfig } from './config.ts';
import { serve } from './serve.ts';
import { bind } from './server.ts';
import { emptyOrders } from './testing.ts';
import { whenAborted } from './testing-matchers.ts';

/** A whole service process, for the tests of serve.ts: watching an order never ends; it is ready while READY_FILE exists. */
const handlers = emptyOrders({
  async *watchOrder(_request, { signal }) {
    yield { order: undefined };
    await whenAborted(signal);
  },
});
const config = readConfig(kitVariables);
const { READY_FILE } = process.env;
const ready = () => (READY_FILE === undefined ? Promise.resolve() : access(READY_FILE));
await serve({ config, services: [bind(Orders, handlers)], ready, onStop: [() => console.log('{"msg":"closed"}')] });
