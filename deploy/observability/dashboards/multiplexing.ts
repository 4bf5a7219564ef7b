import { dashboard } from '../dashboard.ts';
import { drillDown } from '../links.ts';
import { timeSeries } from '../panel.ts';
import { app, avg, envoy, inService, max, meshClusters, rate, sum } from '../promql.ts';
import { query } from '../query.ts';
import { units } from '../units.ts';
import { reference, service } from '../variables.ts';
import { endings } from './multiplexing-endings.ts';

const connections = app('telltale_server_connections_active', inService);
const started = app('grpc_server_call_started_total', inService);
const cluster = 'service, envoy_cluster_name';
const toCluster = (metric: string) => envoy(metric, inService, meshClusters);
// A pod that gets nothing has no series of its own: `up` makes it count as zero.
const perPod = `(${sum('service, pod', rate(started))} or 0 * ${sum('service, pod', app('up', inService))})`;
const toService = drillDown('service', 'Open the service', { service: reference('__field.labels.service') });

const streams = [
  timeSeries({
    title: 'Connections to each app',
    reads: 'Open HTTP/2 connections to the app of each pod; all come from the sidecar of the same pod.',
    good: 'one or two a pod, however many calls there are. More than that, or growing: a caller opens a channel for every call.',
    unit: units.count,
    queries: [query(sum('service, pod', connections), '{{pod}}')],
  }),
  timeSeries({
    title: 'Calls under way per connection',
    reads: 'Calls under way divided by open connections, by service: how many calls share one connection at this moment.',
    good: 'as many as there is load. What HTTP/1.1 would need that many connections for.',
    unit: units.calls,
    queries: [
      query(
        `${sum('service', app('telltale_server_calls_active', inService))} / ${sum('service', connections)}`,
        '{{service}}',
      ),
    ],
    links: [toService],
  }),
  timeSeries({
    title: 'Most streams on one connection',
    reads: 'The fullest connection of each service: streams that are open on it at this moment.',
    good: 'well below the dashed line, the limit of a connection (limits.streamsPerConnection). At the line calls wait.',
    unit: units.calls,
    queries: [query(max('service', app('telltale_server_connection_streams_max', inService)), '{{service}}')],
    limit: 100,
    links: [toService],
  }),
  timeSeries({
    title: 'Calls per connection, since the pods started',
    reads: 'All calls that the running pods have got, divided by all connections that they have accepted.',
    good: 'in the thousands, and rising. Near 1: the callers make a connection for each call.',
    unit: units.calls,
    queries: [
      query(
        `${sum('service', started)} / ${sum('service', app('telltale_server_connections_total', inService))}`,
        '{{service}}',
      ),
    ],
    links: [toService],
  }),
  timeSeries({
    title: 'Streams per connection between pods',
    reads: 'Streams that an Envoy has open to an upstream, divided by its connections to it, by caller and upstream.',
    good: 'as many as there is load; one connection for each pod of the upstream carries them all.',
    unit: units.calls,
    queries: [
      query(
        `${sum(cluster, toCluster('envoy_cluster_http2_streams_active'))} / (${sum(cluster, toCluster('envoy_cluster_upstream_cx_active'))} > 0)`,
        '{{service}} → {{envoy_cluster_name}}',
      ),
    ],
  }),
  timeSeries({
    title: 'Connections between pods',
    reads: 'Open connections of each Envoy to each upstream; "app" is its own app.',
    good: 'pods of the caller times pods of the upstream, flat under any load.',
    unit: units.count,
    queries: [query(sum(cluster, toCluster('envoy_cluster_upstream_cx_active')), '{{service}} → {{envoy_cluster_name}}')],
  }),
];

const balance = [
  timeSeries({
    title: 'Share of each pod',
    reads: 'Which part of the calls of its service a pod gets.',
    good: 'one divided by the number of pods. One line at 100 %: calls are balanced by connection, not by call.',
    unit: units.share,
    queries: [query(`${perPod} / on (service) group_left () ${sum('service', perPod)}`, '{{pod}}')],
    stacked: false,
  }),
  timeSeries({
    title: 'Skew',
    reads: 'The busiest pod divided by the mean of its service’s pods.',
    good: '1. At the number of pods one of them does all the work.',
    unit: units.ratio,
    queries: [query(`${max('service', perPod)} / ${avg('service', perPod)}`, '{{service}}')],
    limit: 1.5,
    links: [toService],
  }),
];

/** How many calls share a connection, and whether the pods share the calls. */
export const multiplexing = dashboard({
  name: 'multiplexing',
  description: 'How many calls share a connection, do the pods share the calls, and what ends connections and streams?',
  variables: [service('envoy', true)],
  rows: [
    { title: 'Calls on connections', panels: streams },
    { title: 'Calls on pods', panels: balance },
    { title: 'What ends connections and streams', panels: endings },
  ],
});
