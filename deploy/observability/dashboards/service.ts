import { dashboard } from '../dashboard.ts';
import { codeColours } from '../grpc-codes.ts';
import { tracesLink } from '../links.ts';
import { heatmap, timeSeries } from '../panel.ts';
import { app, inService, ofMethod, quantile, rate, serverErrors, shareOf, sum } from '../promql.ts';
import { query, withExemplars } from '../query.ts';
import { units } from '../units.ts';
import { grpcMethod, service as serviceVariable, traces } from '../variables.ts';
import { outbound } from './service-outbound.ts';
import { store } from './service-store.ts';

const here = [inService, ofMethod];
const ended = app('grpc_server_call_duration_seconds_count', ...here);
const failed = app('grpc_server_call_duration_seconds_count', ...here, serverErrors);
const buckets = app('grpc_server_call_duration_seconds_bucket', ...here);
const sizes = (what: string) => app(`rpc_server_${what}_size_bytes_bucket`, ...here);

const inbound = [
  timeSeries({
    title: 'Inbound calls by status',
    reads: 'Calls per second that the service answers, by the status that they ended with.',
    good: 'green. Reds and oranges count against the service.',
    unit: units.callsPerSecond,
    queries: [query(sum('grpc_status', rate(ended)), '{{grpc_status}}')],
    stacked: true,
    colours: codeColours,
  }),
  timeSeries({
    title: 'Inbound errors by method',
    reads: 'The share of calls that ended in a server’s error, by method.',
    good: 'zero. Compare with the outbound errors below: the same rise there means that the cause is further down.',
    unit: units.share,
    queries: [query(shareOf('grpc_method', failed, ended), '{{grpc_method}}')],
  }),
  timeSeries({
    title: 'Inbound duration',
    reads: 'Half, 95 % and 99 % of the calls take at most this long. A dot is a traced call and leads to its trace.',
    good: 'three lines close together. A p99 that leaves the others is a queue, a lock or a slow pod.',
    unit: units.seconds,
    queries: [
      withExemplars(quantile(0.99, '', buckets), 'p99'),
      query(quantile(0.95, '', buckets), 'p95'),
      query(quantile(0.5, '', buckets), 'median'),
    ],
  }),
  heatmap({
    title: 'Inbound duration, all calls',
    reads: 'Every call in its bucket, the darker the more. A dot is a traced call and leads to its trace.',
    good: 'one dark band near the bottom. A second band is a second way through the code: a cache miss, a retry, a time-out.',
    unit: units.seconds,
    query: withExemplars(sum('le', rate(buckets)), '{{le}}'),
  }),
  timeSeries({
    title: 'Inbound calls under way by pod',
    reads: 'Calls that a pod is working on, open streams among them.',
    good: 'low and alike: rate times duration. A pod that climbs while the others do not answers too slowly.',
    unit: units.calls,
    queries: [query(sum('pod', app('telltale_server_calls_active', ...here)), '{{pod}}')],
  }),
  timeSeries({
    title: 'Calls that were tried before',
    reads: 'Calls per second that arrive as a second or later attempt, by method.',
    good: 'empty. Some for the seconds of a restart; a steady line means that a first attempt fails again and again.',
    unit: units.callsPerSecond,
    queries: [query(sum('grpc_method', rate(app('telltale_server_call_retries_total', ...here))), '{{grpc_method}}')],
  }),
  timeSeries({
    title: 'Size of messages',
    reads: 'Half and 99 % of the messages are at most this large, by direction; each message of a stream counts.',
    good: 'small and steady. What grows without a limit will one day not fit.',
    unit: units.bytes,
    queries: ['request', 'response'].flatMap(what => [
      query(quantile(0.5, '', sizes(what)), `${what}, median`),
      query(quantile(0.99, '', sizes(what)), `${what}, p99`),
    ]),
  }),
  timeSeries({
    title: 'Inbound calls by pod',
    reads: 'Calls per second that each pod gets.',
    good: 'lines on top of each other. The dashboard "Multiplexing" says why they are not.',
    unit: units.callsPerSecond,
    queries: [query(sum('pod', rate(app('grpc_server_call_started_total', ...here))), '{{pod}}')],
  }),
];

/** One service from both sides: what it is asked, and what it asks of others. */
export const service = dashboard({
  name: 'service',
  description: 'How well does this service answer, and is it the service itself or what it calls?',
  variables: [serviceVariable('app', false), grpcMethod(), traces()],
  links: [tracesLink()],
  rows: [
    { title: 'Inbound: what it is asked', panels: inbound },
    { title: 'Outbound: what it asks of others', panels: outbound },
    { title: 'Store: the database of a service that has one', panels: store },
  ],
});
