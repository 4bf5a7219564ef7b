import { dashboard } from '../dashboard.ts';
import { codeColours, grpcCodes } from '../grpc-codes.ts';
import { stat, timeSeries } from '../panel.ts';
import { envoy as envoyMetric, inService, max, meshClusters, quantile, rate, sum } from '../promql.ts';
import { query } from '../query.ts';
import { units } from '../units.ts';
import { service } from '../variables.ts';
import { flags } from './envoy-flags.ts';
import { protection } from './envoy-protection.ts';

const proxy = (metric: string, ...matchers: string[]) => envoyMetric(metric, inService, ...matchers);
const cluster = 'service, envoy_cluster_name';
const pair = '{{service}} → {{envoy_cluster_name}}';

const glance = [
  stat({
    title: 'Envoys',
    reads: 'Envoys that are up and not draining, edge and sidecars.',
    good: 'one for each pod.',
    unit: units.count,
    query: query(sum('', proxy('envoy_server_live')), 'live'),
    limits: { bad: 1, falling: true },
    width: 6,
  }),
  stat({
    title: 'Connections from callers',
    reads: 'Connections that are open to the edge and to the ingress and egress of sidecars.',
    good: 'few, and flat under load.',
    unit: units.count,
    query: query(
      sum('', proxy('envoy_http_downstream_cx_active', 'envoy_http_conn_manager_prefix=~"edge|ingress|egress"')),
      'connections',
    ),
    width: 6,
  }),
  stat({
    title: 'Calls under way',
    reads: 'Calls that are under way through the edge and through the ingress and egress of sidecars; each hop counts its own.',
    good: 'low: rate times duration.',
    unit: units.calls,
    query: query(
      sum('', proxy('envoy_http_downstream_rq_active', 'envoy_http_conn_manager_prefix=~"edge|ingress|egress"')),
      'calls',
    ),
    width: 6,
  }),
  stat({
    title: 'Memory of the largest Envoy',
    reads: 'What the hungriest Envoy has allocated.',
    good: 'below 100 MiB, and flat.',
    unit: units.bytes,
    query: query(max('', proxy('envoy_server_memory_allocated')), 'memory'),
    width: 6,
  }),
];

const calls = [
  timeSeries({
    title: 'Calls to each upstream',
    reads: 'Attempts per second of each Envoy to each upstream, retries among them; "app" is its own app.',
    good: 'follows the load. What an ingress passes to its app is what all callers together send to the service.',
    unit: units.callsPerSecond,
    queries: [query(sum(cluster, rate(proxy('envoy_cluster_upstream_rq_total', meshClusters))), pair)],
  }),
  timeSeries({
    title: 'Calls by status, as Envoys see them',
    reads: 'Calls per second by the status in the answer, over all chosen Envoys; a call counts at each of its hops.',
    good: 'green. Calls that were cancelled have no answer and are not here. A status that no call has had yet has no line.',
    unit: units.callsPerSecond,
    queries: grpcCodes.map(({ name, number }) =>
      query(sum('', rate(proxy(`envoy_cluster_grpc_${number}`, meshClusters))), name),
    ),
    stacked: true,
    colours: codeColours,
  }),
  timeSeries({
    title: 'Time of upstreams',
    reads: 'The 99th percentile of the time from a call’s first byte to an upstream until the answer’s last.',
    good: 'below the deadline by far; a call to "app" is the handler alone, the others have its sidecar and the network besides.',
    unit: units.milliseconds,
    queries: [query(quantile(0.99, cluster, proxy('envoy_cluster_upstream_rq_time_bucket', meshClusters)), pair)],
  }),
  timeSeries({
    title: 'HTTP answers of the edge',
    reads:
      'Answers per second to callers outside, by class; to gRPC callers everything is a 2xx, to JSON callers a 5xx is a server’s error.',
    good: '2xx, and 4xx as often as callers err.',
    unit: units.callsPerSecond,
    queries: [
      query(
        sum(
          'envoy_response_code_class',
          rate(envoyMetric('envoy_http_downstream_rq_xx', 'envoy_http_conn_manager_prefix="edge"')),
        ),
        '{{envoy_response_code_class}}xx',
      ),
    ],
    stacked: true,
    colours: { '2xx': '#73BF69', '4xx': '#FFEE52', '5xx': '#F2495C' },
  }),
];

/** What the proxies do: whom they find, whom they avoid, what they repeat and what they refuse. */
export const envoy = dashboard({
  name: 'envoy',
  description: 'Whom do the proxies find, whom do they avoid, what do they repeat and what do they refuse?',
  variables: [service('envoy', true)],
  rows: [
    { title: 'At a glance', panels: glance },
    { title: 'Calls', panels: calls },
    { title: 'Membership, ejections, retries, overflow', panels: protection },
    { title: 'Response flags', panels: flags },
  ],
});
