import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dashboards } from './dashboards.ts';
import { parseExpression, problemsOf } from './expression.ts';
import { inventory } from './inventory.ts';
import { queriesOf } from './queries.ts';

const check = (expr: string) => problemsOf(expr, inventory);

describe('parseExpression', () => {
  it('finds selectors with their matchers, and the labels of sums and joins', () => {
    const text = 'sum by (service) (rate(up{job="app", pod!=""}[5m])) / on (namespace) group_left (slo) slo:calls:rate1h';
    assert.deepEqual(parseExpression(text), {
      selectors: [
        { metric: 'up', labels: ['job', 'pod'] },
        { metric: 'slo:calls:rate1h', labels: [] },
      ],
      grouping: ['service', 'namespace', 'slo'],
    });
  });

  it('says where the text stops being PromQL', () => {
    assert.throws(() => parseExpression('sum(rate(up[5m])'), SyntaxError);
    assert.throws(() => parseExpression('up{job="app" pod=""}'), { message: /^not PromQL at ".*pod.*" in / });
  });
});

describe('problemsOf', () => {
  it('finds nothing wrong with counters, gauges, the series of histograms, and their labels', () => {
    assert.deepEqual(check('rate(telltale_ledger_charges_total{namespace="a", outcome="charged"}[5m])'), []);
    assert.deepEqual(check('sum by (le, grpc_method) (rpc_server_request_size_bytes_bucket{le="1"})'), []);
    assert.deepEqual(check('rpc_server_request_size_bytes_sum / rpc_server_request_size_bytes_count'), []);
  });

  it('names a metric that nobody exports', () => {
    assert.deepEqual(check('grpc_server_calls_started_total'), ['no such metric: grpc_server_calls_started_total']);
    assert.deepEqual(check('{job="app"}'), ['no such metric: a selector without a name']);
  });

  it('names a histogram without a suffix, and a suffix of what is no histogram', () => {
    assert.deepEqual(check('grpc_server_call_duration_seconds'), ['no such metric: grpc_server_call_duration_seconds']);
    assert.deepEqual(check('up_bucket'), ['no such metric: up_bucket']);
  });

  it('names a label that the metric does not have, in a matcher and in a sum', () => {
    assert.deepEqual(check('up{grpc_method="x"}'), ['up has no label grpc_method']);
    assert.deepEqual(check('rpc_server_request_size_bytes_sum{le="1"}'), ['rpc_server_request_size_bytes_sum has no label le']);
    assert.deepEqual(check('sum by (grpc_target) (telltale_server_calls_active)'), ['nothing here has the label grpc_target']);
  });

  it('finds the panels whose metric was renamed', () => {
    const { telltale_server_calls_active: renamed, ...others } = inventory;
    assert.ok(renamed);
    const broken = queriesOf(dashboards).filter(
      ({ expr }) => problemsOf(expr, { ...others, telltale_server_calls_in_flight: renamed }).length > 0,
    );
    const panels = new Set(broken.map(({ dashboard, panel }) => `${dashboard}: ${panel}`));
    assert.deepEqual(
      [...panels],
      [
        'telltale-mesh: Methods',
        'telltale-service: Inbound calls under way by pod',
        'telltale-multiplexing: Calls under way per connection',
      ],
    );
  });
});
