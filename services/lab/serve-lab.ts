import { join } from 'node:path';
import { LabServiceService } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { formatAddress, kitVariables, readConfig } from '../kit/config.ts';
import { connectDirectly } from '../kit/connect-directly.ts';
import { createLogger } from '../kit/log.ts';
import { serve } from '../kit/serve.ts';
import { bind } from '../kit/server.ts';
import type { Catalog } from './catalog.ts';
import { Collector } from './collector.ts';
import { surroundings } from './conditions.ts';
import { meshControl } from './control.ts';
import { lab } from './lab.ts';
import { apiOf, labVariables } from './lab-config.ts';
import { meshClients } from './mesh.ts';
import { podLives } from './pod-lives.ts';
import type { Conditions } from './result.ts';
import { openResultStore } from './result-store.ts';
import { createRuns } from './runs.ts';
import { keepScale } from './scale-keeper.ts';

/** Serves a lab that runs the scenarios that `load` gives, by what its environment says, until it is told to stop: see kit/serve.ts. */
export async function serveLab(load: (mode: Conditions['mode']) => Promise<Catalog>): Promise<void> {
  connectDirectly(); // before the lab asks its sidecar
  const config = readConfig({ ...kitVariables, ...labVariables });
  const { TELLTALE_EGRESS: egress, TELLTALE_WIDE_EGRESS: wide = egress, TELLTALE_IDENTITY: identity } = config;
  const collector = new Collector();
  const results = await openResultStore(join(config.TELLTALE_DATA_DIR, 'results'));
  const { api, mode } = apiOf(config);
  const { control, putBack } = keepScale(meshControl(api), join(config.TELLTALE_DATA_DIR, 'scaled.json'));
  const mesh = meshClients({ egress: formatAddress(egress), wide: formatAddress(wide), mode, identity });
  await putBack().catch(() => {}); // where the Kubernetes API does not answer; the next run begins with it
  const dependencies = {
    mesh,
    control,
    putBack,
    lives: podLives(api),
    collector,
    surroundings: await surroundings(mode, config.TELLTALE_SIDECAR_ADMIN),
  };
  const runs = createRuns(dependencies, results);
  const logger = createLogger({ service: 'lab', pod: config.TELLTALE_POD, level: config.TELLTALE_LOG_LEVEL });
  await serve({
    config,
    services: [bind(LabServiceService, lab({ catalog: await load(mode), runs, results, collector, logger }))],
    onStop: [() => runs.end(), () => mesh[Symbol.dispose]()],
  });
}
