import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadParameters } from './parameters.ts';
import { type AnyScenario, type Arm, defineScenario, type WholeScenario } from './scenario.ts';
import { scenarioInMode } from './scenario-in-mode.ts';

const parameters = loadParameters({ rate: 1, seconds: 1, repetitions: 2 });
const arm = <const Name extends string>(name: Name): Arm<typeof parameters, 'ms', Name> => ({
  name,
  title: `what ${name} does`,
  run: async () => ({ ms: 1 }),
});
const plain = defineScenario({
  name: 'plain',
  claim: { says: 'x', by: 'x' },
  describe: { question: 'x', method: 'x', reading: 'x', limits: ['The rest.'] },
  parameters,
  figures: { ms: { title: 'x', unit: 'ms' } },
  arms: [arm('one')],
  controls: [arm('other')],
  headline: { figure: 'ms', arm: 'one', control: 'other' },
  checks: [{ says: 'one is one', test: ({ one }) => ({ passed: one.ms[0] === 1, observed: '' }) }],
});
const more = defineScenario({
  ...plain,
  inCluster: {
    because: 'a machine has no pods',
    controls: [arm('more'), arm('yet-more')],
    checks: [{ says: 'more is as one', test: ({ one, more }) => ({ passed: more.ms[0] === one.ms[0], observed: '' }) }],
  },
}) as unknown as WholeScenario;

const shown = ({ controls, checks, describe }: ReturnType<typeof scenarioInMode>) => ({
  controls: controls.map(({ name }) => name),
  checks: checks.map(({ says }) => says),
  limits: describe.limits,
});

test('scenarioInMode has all of a scenario in a cluster', () => {
  assert.deepEqual(shown(scenarioInMode(more, 'cluster')), {
    controls: ['other', 'more', 'yet-more'],
    checks: ['one is one', 'more is as one'],
    limits: ['The rest.'],
  });
});

test('scenarioInMode leaves out elsewhere what only a cluster can show, and says so for each arm', () => {
  assert.deepEqual(shown(scenarioInMode(more, 'local')), {
    controls: ['other'],
    checks: ['one is one'],
    limits: [
      'The rest.',
      'more (what more does): runs in a cluster only; a machine has no pods.',
      'yet-more (what yet-more does): runs in a cluster only; a machine has no pods.',
    ],
  });
});

test('scenarioInMode changes nothing of a scenario that is the same everywhere', () => {
  for (const mode of ['local', 'cluster'] as const) {
    assert.deepEqual(scenarioInMode(plain as unknown as WholeScenario, mode), plain);
  }
});

test('a scenario that has not been made for a mode cannot be run: it does not compile', () => {
  // @ts-expect-error: the whole
  const unmade: AnyScenario = more;
  assert.ok(unmade);
});
