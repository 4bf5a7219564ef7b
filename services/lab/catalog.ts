import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { closest } from 'fastest-levenshtein';
import { RpcError } from '../kit/rpc-error.ts';
import { shown } from '../kit/validate-shown.ts';
import type { Conditions } from './result.ts';
import type { AnyScenario, WholeScenario } from './scenario.ts';
import { scenarioInMode } from './scenario-in-mode.ts';

/** The scenarios by name, in the order of their names. */
export type Catalog = ReadonlyMap<string, AnyScenario>;

const FOLDER = join(import.meta.dirname, 'scenarios');

/** Reads every scenario in scenarios/, as it is run in this mode. Throws a TypeError that names the file for one that is not named as its file. */
export async function loadCatalog(mode: Conditions['mode'], folder = FOLDER): Promise<Catalog> {
  const files = readdirSync(folder).filter(
    file => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('testing'),
  );
  const catalog = new Map<string, AnyScenario>();
  for (const file of files.sort()) {
    const { scenario } = (await import(join(folder, file))) as { scenario?: WholeScenario };
    if (scenario?.name !== file.slice(0, -'.ts'.length)) {
      throw new TypeError(`scenarios/${file} exports no scenario of its own name`);
    }
    catalog.set(scenario.name, scenarioInMode(scenario, mode));
  }
  return catalog;
}

/** The scenario of this name; throws an RpcError NOT_FOUND that lists all names, and the nearest. */
export function findScenario(catalog: Catalog, name: string): AnyScenario {
  const scenario = catalog.get(name);
  if (scenario) return scenario;
  const names = [...catalog.keys()];
  const says = `no scenario is named ${shown(name)}; did you mean ${closest(name.slice(0, 64), names)}? There are: ${names.join(', ')}`;
  throw new RpcError(status.NOT_FOUND, says, { reason: 'SCENARIO_NOT_FOUND' });
}
