import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { LabServiceService as Lab } from '../../proto/gen/telltale/lab/v1/lab.ts';
import type { Client } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { findScenario, loadCatalog } from '../../services/lab/catalog.ts';
import { readResult } from '../../services/lab/read-result.ts';
import type { Conditions, Result } from '../../services/lab/result.ts';
import { QUICK } from '../../services/lab/scenario.ts';

/** The scenarios as a lab without a cluster has them. */
const catalog = await loadCatalog('local');

/** The parameters by which a scenario shows what it shall in little time, as LabService takes them. */
export function quickSettings(scenario: string, mode: Conditions['mode'] = 'local'): Record<string, string> {
  const { local, cluster } = findScenario(catalog, scenario).quick ?? { local: {} };
  const settings = { ...QUICK, ...local, ...(mode === 'cluster' && cluster) };
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}

/** How often a scenario is run at most until a run can tell: others on the machine make repetitions differ. */
const ATTEMPTS = 3;
/** How long one run may take, in milliseconds. */
const RUN_MS = 300_000;

/** Runs a scenario with these parameters, and resolves to its result. */
export async function runScenario(
  lab: Pick<Client<typeof Lab>, 'runScenario'>,
  scenario: string,
  parameters: Record<string, string>,
): Promise<Result> {
  for await (const { event } of lab.runScenario({ scenario, parameters }, { deadline: deadlineIn(RUN_MS) })) {
    if (event?.$case === 'result') return readResult(event.value.document);
  }
  return assert.fail(`${scenario} gave no result`);
}

/**
 * Runs every scenario that the lab has with quick settings, says of each what it has shown, and of one that fails which checks did;
 * resolves to a text for each failure. A run that could not tell, or that was saturated, is run again, and that is said, too; one
 * that had room and says that the claim does not hold is not.
 *
 * @param judge may say what else is wrong with a result and the seconds that it took
 * @param settings the parameters of each; by default the quick ones of a local run
 */
export async function runAllQuickly(
  lab: Pick<Client<typeof Lab>, 'runScenario' | 'listScenarios'>,
  say: TestContext['diagnostic'],
  judge: (result: Result, seconds: number) => string[] = () => [],
  settings: (scenario: string) => Record<string, string> = quickSettings,
): Promise<string[]> {
  const { scenarios } = await lab.listScenarios({}, { deadline: deadlineIn(10_000) });
  const names = scenarios.map(({ name }) => name);
  const failures: string[] = [];
  if (names.join() !== [...catalog.keys()].join()) failures.push(`the lab has ${names.join(', ')}, and not all of scenarios/`);
  for (const name of inTurn(names)) {
    const wrong = await runQuickly(lab, name, settings(name), say, judge).catch(error => [`no result: ${error}`]);
    for (const each of wrong) say(`${name}: ${each}`);
    failures.push(...wrong.map(each => `${name}: ${each}`));
  }
  return failures;
}

/** Those that replace pods come last: what is new is slow, and the others would measure that. */
function inTurn(names: readonly string[]): string[] {
  const replaces = (name: string) => Number(findScenario(catalog, name).replacesPods ?? false);
  return names.toSorted((a, b) => replaces(a) - replaces(b));
}

/** What is wrong with a scenario, in texts; nothing when it passes. */
async function runQuickly(
  lab: Pick<Client<typeof Lab>, 'runScenario'>,
  name: string,
  parameters: Record<string, string>,
  say: TestContext['diagnostic'],
  judge: (result: Result, seconds: number) => string[],
): Promise<string[]> {
  for (let attempt = 1; ; attempt++) {
    const startedAt = performance.now();
    const result = await runScenario(lab, name, parameters);
    const seconds = (performance.now() - startedAt) / 1000;
    const { verdict, passed, headline, checks } = result;
    say(`${name}: ${verdict.kind}, ${headline.armMedian} against ${headline.controlMedian}, ${seconds.toFixed(0)} s`);
    const wrong = judge(result, seconds);
    if (passed) return wrong;
    // where the machine or a caller had no room left, what is seen is that
    const saturated = result.arms.some(({ cpu }) => cpu.saturated !== null);
    if ((verdict.kind === 'inconclusive' || saturated) && attempt < ATTEMPTS) {
      say(`${name}: is run again, for it could not tell${saturated ? ', being saturated' : ''}: ${verdict.sentence}`);
      continue;
    }
    const failed = checks.filter(check => !check.passed).map(({ says, observed }) => `failed: ${says}: ${observed}`);
    return [verdict.sentence, ...failed, ...wrong];
  }
}
