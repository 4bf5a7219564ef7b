import type { Conditions } from './result.ts';
import type { AnyScenario, WholeScenario } from './scenario.ts';

/** A scenario as it is run in this mode: with all that a cluster can show, or without, and saying what is left out, and why. */
export function scenarioInMode({ inCluster, ...scenario }: WholeScenario, mode: Conditions['mode']): AnyScenario {
  if (inCluster === undefined) return scenario;
  const { because, controls, checks } = inCluster;
  if (mode === 'cluster') {
    return { ...scenario, controls: [...scenario.controls, ...controls], checks: [...scenario.checks, ...checks] };
  }
  const leftOut = controls.map(({ name, title }) => `${name} (${title}): runs in a cluster only; ${because}.`);
  return { ...scenario, describe: { ...scenario.describe, limits: [...scenario.describe.limits, ...leftOut] } };
}
