import { parseArgs } from 'node:util';
import { connectDirectly } from '../kit/connect-directly.ts';
import { createLogger } from '../kit/log.ts';
import { podAccount } from './pod-account.ts';
import { runRenewal } from './run-renewal.ts';
import { parseSettings } from './settings.ts';
import { folderStore } from './store-folder.ts';
import { secretStore } from './store-secrets.ts';

connectDirectly();

const USAGE = `usage: node services/issuer/main.ts

Renews, once, the identities that TELLTALE_IDENTITIES names: in Secrets of Kubernetes, or in folders below TELLTALE_IDENTITY_DIR.
TELLTALE_NEW_AUTHORITY=true also begins a change of the authority, which the runs of the next day bring to its end.
`;

function orUsage<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(2);
  }
}

const { values } = orUsage(() => parseArgs({ options: { help: { type: 'boolean', default: false } } }));
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const settings = orUsage(() => parseSettings(process.env));
const log = createLogger({ service: 'issuer', pod: settings.TELLTALE_POD, level: settings.TELLTALE_LOG_LEVEL });
const api = { host: settings.KUBERNETES_SERVICE_HOST, port: settings.KUBERNETES_SERVICE_PORT };

try {
  const store = settings.TELLTALE_IDENTITY_DIR
    ? folderStore(settings.TELLTALE_IDENTITY_DIR)
    : secretStore(await podAccount(api, settings.TELLTALE_NAMESPACE));
  const written = await runRenewal({ store, policy: settings.policy, newAuthority: settings.TELLTALE_NEW_AUTHORITY, log });
  log.info({ written }, 'all identities are as they should be');
} catch (error) {
  log.fatal((error as Error).message);
  process.exitCode = 1;
}
