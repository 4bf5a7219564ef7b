import { join } from 'node:path';
import { LabServiceService } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { formatAddress, kitVariables, readConfig } from '../kit/config.ts';
import { createLogger } from '../kit/log.ts';
import { serve } from '../kit/serve.ts';
import { bind } from '../kit/server.ts';
import { loadCatalog } from './catalog.ts';
import { Collector } from './collector.ts';
import { surroundings } from './conditions.ts';
import { meshControl } from './control.ts';
import { lab } from './lab.ts';
import { apiOf, labVariables } from './lab-config.ts';
import { meshClients } from './mesh.ts';
import { openResultStore } from './result-store.ts';
import { createRuns } from './runs.ts';

const config = readConfig({ ...kitVariables, ...labVariables });
const { TELLTALE_EGRESS: egress, TELLTALE_WIDE_EGRESS: wide = egress } = config;
const mesh = meshClients(formatAddress(egress), formatAddress(wide));
const collector = new Collector();
const results = await openResultStore(join(config.TELLTALE_DATA_DIR, 'results'));
const { api, mode } = apiOf(config);
const dependencies = {
  mesh,
  control: meshControl(api),
  collector,
  surroundings: await surroundings(mode, config.TELLTALE_SIDECAR_ADMIN),
};
const runs = createRuns(dependencies, results);
const logger = createLogger({ service: 'lab', pod: config.TELLTALE_POD, level: config.TELLTALE_LOG_LEVEL });
const catalog = await loadCatalog();

await serve({
  config,
  services: [bind(LabServiceService, lab({ catalog, runs, results, collector, logger }))],
  onStop: [() => runs.end(), () => mesh[Symbol.dispose]()],
});
