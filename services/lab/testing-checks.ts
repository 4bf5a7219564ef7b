import assert from 'node:assert/strict';
import type { AnyScenario, Measured } from './scenario.ts';

/**
 * Asserts that all checks pass on `good`, and that with figures of an arm replaced exactly those whose sentence matches fail.
 *
 * @param broken for each break: the arm, its figures, and what the sentences of the checks that it breaks say; as data, so that
 *   each check is seen failing on a result that a broken mesh would give
 */
export function assertChecks<ArmName extends string, FigureName extends string>(
  scenario: {
    readonly checks: readonly { says: string; test(measured: Measured<ArmName, FigureName>): { passed: boolean } }[];
  },
  good: Measured<ArmName, FigureName>,
  broken: readonly (readonly [arm: NoInfer<ArmName>, figures: Partial<Record<NoInfer<FigureName>, number[]>>, fails: RegExp])[],
): void {
  const failing = (measured: Measured<ArmName, FigureName>) =>
    scenario.checks.filter(({ test }) => !test(measured).passed).map(({ says }) => says);
  assert.deepEqual(failing(good), []);
  const seen = new Set<string>();
  for (const [arm, figures, fails] of broken) {
    const found = failing({ ...good, [arm]: { ...good[arm], ...figures } });
    assert.ok(found.length > 0, `nothing fails with ${arm} ${JSON.stringify(figures)}`);
    for (const says of found) {
      assert.match(says, fails);
      seen.add(says);
    }
  }
  const never = scenario.checks.map(({ says }) => says).filter(says => !seen.has(says));
  assert.deepEqual(never, [], 'checks that nothing breaks');
}

/** Asserts that a scenario says all that a reader needs, and that its controls and checks are there at run time, too. */
export function assertDescribed(scenario: AnyScenario): void {
  const { question, method, reading, limits } = scenario.describe;
  for (const text of [scenario.claim.says, scenario.claim.by, question, method, reading, ...limits])
    assert.ok(text.length > 10);
  assert.ok(scenario.controls.length > 0 && scenario.checks.length > 0 && scenario.arms.length > 0);
}
