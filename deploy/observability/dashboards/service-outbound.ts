import { codeColours } from '../grpc-codes.ts';
import { heatmap, type PanelBuilder, timeSeries } from '../panel.ts';
import { app, inService, quantile, rate, serverErrors, shareOf, sum } from '../promql.ts';
import { query, withExemplars } from '../query.ts';
import { units } from '../units.ts';

const ended = app('grpc_client_call_duration_seconds_count', inService);
const failed = app('grpc_client_call_duration_seconds_count', inService, serverErrors);
const buckets = app('grpc_client_call_duration_seconds_bucket', inService);

/** The panels of what a service asks of others; a service without upstreams has nothing here. */
export const outbound: readonly PanelBuilder[] = [
  timeSeries({
    title: 'Outbound calls by status',
    reads: 'Calls per second that the service makes, by the status that it got back, after the retries of its proxy.',
    good: 'green. More DEADLINE_EXCEEDED here than at the target: the call was lost or queued on the way.',
    unit: units.callsPerSecond,
    queries: [query(sum('grpc_status', rate(ended)), '{{grpc_status}}')],
    stacked: true,
    colours: codeColours,
  }),
  timeSeries({
    title: 'Outbound errors by target',
    reads: 'The share of calls that ended in a server’s error, by target, as the caller sees it.',
    good: 'zero.',
    unit: units.share,
    queries: [query(shareOf('grpc_target', failed, ended), '{{grpc_target}}')],
  }),
  timeSeries({
    title: 'Outbound duration by target',
    reads: 'The 99th percentile by target, with both proxies. A dot is a traced call and leads to its trace.',
    good: 'a few milliseconds above the target’s own p99.',
    unit: units.seconds,
    queries: [withExemplars(quantile(0.99, 'grpc_target', buckets), '{{grpc_target}}')],
  }),
  heatmap({
    title: 'Outbound duration, all calls',
    reads: 'Every call in its bucket, the darker the more. A dot is a traced call and leads to its trace.',
    good: 'one dark band. A second one, higher up, is a retry or a slow replica.',
    unit: units.seconds,
    query: withExemplars(sum('le', rate(buckets)), '{{le}}'),
  }),
  timeSeries({
    title: 'Outbound calls under way',
    reads: 'Calls that wait for their answer, by target.',
    good: 'low: rate times duration. Growth without more calls means that the target slows down.',
    unit: units.calls,
    queries: [query(sum('grpc_target', app('telltale_client_calls_active', inService)), '{{grpc_target}}')],
  }),
  timeSeries({
    title: 'Outbound calls that wait for a connection',
    reads: 'Calls that have no connection to the service’s own sidecar yet, by target.',
    good: 'zero but for the first moment of a pod.',
    unit: units.calls,
    queries: [query(sum('grpc_target', app('telltale_client_calls_queued', inService)), '{{grpc_target}}')],
  }),
];
