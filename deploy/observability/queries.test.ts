import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dashboards } from './dashboards.ts';
import { exampleValues, fillIn, queriesOf } from './queries.ts';
import { reference } from './variables.ts';

describe('fillIn', () => {
  it('replaces variables in both forms, and leaves what belongs to PromQL', () => {
    const text = `label_replace(up{namespace="$namespace"}, "a", "$1", "pod", "${reference('service')}-(.*)") [$__rate_interval]`;
    assert.equal(
      fillIn(text, { namespace: 'n', service: 's', __rate_interval: '1m' }),
      'label_replace(up{namespace="n"}, "a", "$1", "pod", "s-(.*)") [1m]',
    );
  });

  it('names a variable without a value', () => {
    assert.throws(() => fillIn('up{pod="$pod"}', exampleValues), {
      message: 'no value for the variable $pod in up{pod="$pod"}',
    });
  });
});

describe('queriesOf', () => {
  const queries = queriesOf(dashboards, { ...exampleValues, namespace: 'elsewhere' });

  it('gives every query of every panel, without variables', () => {
    const letters = queries.filter(({ panel }) => panel === 'Inbound duration').map(({ refId }) => refId);
    assert.deepEqual(letters, ['A', 'B', 'C']);
    for (const { expr } of queries) assert.match(expr, /^(?!.*\$[a-z_{]).*namespace="elsewhere"/i);
  });

  it('says of which queries no data is good news', () => {
    const reason = (title: string) => queries.find(({ panel }) => panel === title)?.mayBeEmpty;
    assert.equal(reason('Firing alerts'), 'no alert fires');
    assert.equal(reason('Calls by method'), undefined);
  });
});
