// A lab whose scenarios are broken: the arm that each is about does what its control does, without what the claim is about.
import { loadCatalog } from '../../services/lab/catalog.ts';
import type { AnyScenario } from '../../services/lab/scenario.ts';
import { serveLab } from '../../services/lab/serve-lab.ts';

function broken(scenario: AnyScenario): AnyScenario {
  const { arms, controls, headline } = scenario;
  const control = [...controls, ...arms].find(({ name }) => name === headline.control);
  if (!control) throw new TypeError(`${scenario.name} has no control ${headline.control}`);
  const [first, ...others] = arms.map(arm => (arm.name === headline.arm ? { ...arm, run: control.run } : arm));
  return first ? { ...scenario, arms: [first, ...others] } : scenario;
}

await serveLab(async mode => new Map([...(await loadCatalog(mode))].map(([name, scenario]) => [name, broken(scenario)])));
