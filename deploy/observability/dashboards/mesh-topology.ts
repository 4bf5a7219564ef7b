import { drillDown } from '../links.ts';
import { type PanelBuilder, timeSeries } from '../panel.ts';
import { app, envoy, meshClusters, quantile, rate, serverErrors, shareOf, sum } from '../promql.ts';
import { query } from '../query.ts';
import { table } from '../table.ts';
import { units } from '../units.ts';
import { reference } from '../variables.ts';

const pair = 'service, grpc_target';
const started = app('grpc_client_call_started_total');
const ended = app('grpc_client_call_duration_seconds_count');
const failed = app('grpc_client_call_duration_seconds_count', serverErrors);
const buckets = app('grpc_client_call_duration_seconds_bucket');

/** The edge is an Envoy and no app: its clusters are its targets. */
const ofEdge = (metric: string) => envoy(metric, 'service="edge"', meshClusters);
const asTarget = (expr: string) => sum(pair, `label_replace(${expr}, "grpc_target", "$1", "envoy_cluster_name", "(.*)")`);
const calls = `${sum(pair, rate(started))} or ${asTarget(rate(ofEdge('envoy_cluster_upstream_rq_completed')))}`;
const edgeP99 = quantile(0.99, 'service, envoy_cluster_name', ofEdge('envoy_cluster_upstream_rq_time_bucket'));

/** The panels of who calls whom, as the callers see it: with the proxies and the network in between. */
export const whoCallsWhom: readonly PanelBuilder[] = [
  table({
    title: 'Callers and targets',
    reads: 'A row for each pair of caller and target, as the caller sees it: with both proxies, retries and its own deadline.',
    good: 'only the pairs that values.yaml lists as upstreams. Errors here and none at the target’s own row above were made between them. The edge is an Envoy: its errors are on that dashboard.',
    unit: units.count,
    width: 12,
    rows: { service: 'Caller', grpc_target: 'Target' },
    columns: [
      { name: 'Calls', expr: calls, unit: units.callsPerSecond },
      { name: 'Errors', expr: shareOf(pair, failed, ended), unit: units.share, limits: { warning: 0.001, bad: 0.01 } },
      {
        name: 'p99',
        // Envoy counts milliseconds.
        expr: `${quantile(0.99, pair, buckets)} or ${asTarget(`${edgeP99} / 1000`)}`,
        unit: units.seconds,
      },
    ],
    links: [drillDown('service', 'Open the target', { service: reference('__data.fields.Target') })],
  }),
  timeSeries({
    title: 'Calls by caller and target',
    reads: 'Calls per second by pair. What goes in at the edge comes out below, times the calls that each handler makes.',
    good: 'the pairs keep their proportions. A pair that grows alone is tried again and again.',
    unit: units.callsPerSecond,
    queries: [query(calls, '{{service}} → {{grpc_target}}')],
  }),
];
