import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chartServices } from './chart-services.ts';
import { problemsOf } from './expression.ts';
import { serverErrorNames } from './grpc-codes.ts';
import { inventory } from './inventory.ts';
import { type Objective, readObjectives } from './slo.ts';
import { recordedNames, sloRules } from './slo-rules.ts';

const { objectives } = readObjectives();

describe('slo.yaml', () => {
  for (const objective of objectives) {
    it(`${objective.name}: counts what exists, by statuses and methods that exist`, () => {
      for (const selector of selectorsOf(objective)) {
        assert.deepEqual(problemsOf(`rate(${selector}[5m])`, inventory), []);
        const [, method] = /grpc_method="([^"]+)"/.exec(selector) ?? [];
        const [, service = ''] = / service="([^"]+)"/.exec(selector) ?? [];
        if (method !== undefined) assert.ok(chartServices().get(service)?.methods.includes(method), `${service}: ${method}`);
      }
    });
  }

  it('takes the errors of the servers from the same set as the dashboards', () => {
    const [storefront] = objectives;
    assert.ok(storefront?.bad?.every(selector => selector.includes(`grpc_status=~"${serverErrorNames}"`)));
  });
});

describe('readObjectives', () => {
  const text = (objective: object, window = '30d') => JSON.stringify({ window, objectives: [objective] });
  const right: Objective = { name: 'a', promise: 'A.', objective: 99, total: ['up'], bad: ['up'] };
  const mistakes: [string, string][] = [
    ['window must be days, such as 30d', text(right, '4 weeks')],
    ['objectives must be a list', '{window: 30d}'],
    ['A b: name must be in kebab-case', text({ ...right, name: 'A b' })],
    ['a: promise is missing', text({ ...right, promise: undefined })],
    ['a: objective must be between 0 and 100', text({ ...right, objective: 100 })],
    ['a: total must be a list of selectors', text({ ...right, total: 'up' })],
    ['a: there must be a list of selectors either as bad or as good', text({ ...right, good: ['up'] })],
    ['a: there must be a list of selectors either as bad or as good', text({ ...right, bad: [] })],
    ['there are two objectives a', JSON.stringify({ window: '30d', objectives: [right, right] })],
  ];
  for (const [message, yaml] of mistakes) {
    it(`refuses: ${message} (${yaml.length})`, () =>
      assert.throws(() => readObjectives(yaml), { message: `slo.yaml: ${message}` }));
  }

  it('takes what is right', () => assert.deepEqual(readObjectives(text(right)).objectives, [right]));
});

describe('sloRules', () => {
  it('records what recordedNames says, for each objective', () => {
    const rules = sloRules().groups.flatMap(group => group.rules);
    assert.deepEqual(new Set(rules.flatMap(({ record }) => record ?? [])), new Set(recordedNames));
    const named = rules.filter(({ record }) => record === 'slo:misses:rate5m').map(({ labels }) => labels?.slo);
    assert.deepEqual(
      named,
      objectives.map(({ name }) => name),
    );
  });

  it('is calculated often enough that no series ends in between', () => {
    for (const { interval } of sloRules().groups) assert.ok(['30s', '2m'].includes(interval ?? ''));
  });
});

function selectorsOf({ total, bad = [], good = [] }: Objective): string[] {
  return [...total, ...bad, ...good];
}
