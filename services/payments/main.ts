import { join } from 'node:path';
import { PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { kitVariables, readConfig, storeVariables } from '../kit/config.ts';
import { openDatabase } from '../kit/database.ts';
import { serve } from '../kit/serve.ts';
import { bind } from '../kit/server.ts';
import { openLedger } from './ledger.ts';
import { payments } from './payments.ts';

const config = readConfig({ ...kitVariables, ...storeVariables });
const database = await openDatabase({
  url: config.DATABASE_URL,
  egress: config.TELLTALE_DATABASE_EGRESS,
  file: join(config.TELLTALE_DATA_DIR, 'payments.db'),
});
const ledger = await openLedger(database);

await serve({
  config,
  services: [bind(PaymentServiceService, payments(ledger))],
  ready: signal => database.query('SELECT 1', [], signal),
  onStop: [() => database.close()],
});
