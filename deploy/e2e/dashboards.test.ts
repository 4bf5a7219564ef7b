import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { dashboards } from '../observability/dashboards.ts';
import { exampleValues, queriesOf } from '../observability/queries.ts';
import { connectJaeger } from './jaeger.ts';
import { NAMESPACE } from './kubectl.ts';
import { withLoad } from './load-pod.ts';
import { connectPrometheus, type Prometheus } from './prometheus.ts';

const queries = queriesOf(dashboards, { ...exampleValues, namespace: NAMESPACE });

describe('the dashboards, after two minutes of calls of all kinds', () => {
  let prometheus: Prometheus;
  const shown = new Set<string>();
  before(async () => {
    prometheus = await connectPrometheus();
    await withLoad({ ordersOfTen: 3, streams: 5 }, async () => {
      await wait(120_000);
      for (const { expr } of queries) if ((await prometheus.query(expr)).length > 0) shown.add(expr);
    });
  });
  after(() => prometheus?.[Symbol.dispose]());

  for (const { dashboard, panel, refId, expr, mayBeEmpty } of queries) {
    if (mayBeEmpty === undefined) {
      it(`${dashboard}: ${panel}, query ${refId}, has data`, () => assert.ok(shown.has(expr), expr));
    }
  }

  it('would show nothing of a metric that has been renamed, the control', async () => {
    const NAME = 'grpc_server_call_started_total';
    // what falls back to zero has data, whatever it is called
    const those = queries.filter(({ expr }) => expr.includes(NAME) && !/\bor\b|absent/.test(expr));
    const renamed = those.map(({ expr }) => expr.replaceAll(NAME, `${NAME}_renamed`));
    assert.ok(renamed.length > 0);
    for (const expr of renamed) assert.deepEqual(await prometheus.query(expr), [], expr);
  });

  it('lead by their exemplars to traces that exist', async t => {
    const exemplars = await prometheus.exemplars(`grpc_server_call_duration_seconds_bucket{namespace="${NAMESPACE}"}`);
    t.diagnostic(`${exemplars.length} exemplars`);
    assert.ok(exemplars.length > 0);
    using jaeger = await connectJaeger();
    for (const { trace_id: trace = '', span_id: span } of exemplars.slice(0, 5)) {
      const spans = await jaeger.trace(trace, found => found.some(({ id }) => id === span));
      assert.ok(
        spans.some(({ id }) => id === span),
        `${trace} has no span ${span}`,
      );
    }
  });
});
