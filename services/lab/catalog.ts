import { existsSync, readdirSync } from 'node:fs';
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

/** The names of all scenarios, sorted. Each is a file of scenarios/, or a folder with a file of its name beside what only it needs. */
export function scenarioNames(folder = FOLDER): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const own = entries.filter(entry => entry.isDirectory() || /(?<!\.test)\.ts$/.test(entry.name));
  return own.map(({ name }) => name.replace(/\.ts$/, '')).sort();
}

/**
 * Loads every scenario in scenarios/, as it runs in this mode.
 *
 * @throws TypeError that names the file of a scenario that is not there, or has another name than its file
 */
export async function loadCatalog(mode: Conditions['mode'], folder = FOLDER): Promise<Catalog> {
  const catalog = new Map<string, AnyScenario>();
  for (const name of scenarioNames(folder)) {
    const file = existsSync(join(folder, name)) ? join(name, `${name}.ts`) : `${name}.ts`;
    if (!existsSync(join(folder, file))) throw new TypeError(`there is no scenarios/${file}`);
    const { scenario } = (await import(join(folder, file))) as { scenario?: WholeScenario };
    if (scenario?.name !== name) throw new TypeError(`scenarios/${file} exports no scenario of its own name`);
    catalog.set(name, scenarioInMode(scenario, mode));
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
