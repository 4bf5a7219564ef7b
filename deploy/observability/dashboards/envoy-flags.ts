import { type PanelBuilder, timeSeries } from '../panel.ts';
import { envoy, inService, meshClusters, rate, sum } from '../promql.ts';
import { query } from '../query.ts';
import { units } from '../units.ts';

const upstream = (metric: string) => sum('', rate(envoy(metric, inService, meshClusters)));
const downstream = (metric: string) =>
  sum('', rate(envoy(metric, inService, 'envoy_http_conn_manager_prefix=~"edge|ingress|egress"')));

/**
 * The panels of why Envoys answered themselves. Statistics do not carry the flag of the access log (`flags`): each flag is shown
 * by the counter that moves with it.
 *
 * @see https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/observability/access_log/usage
 */
export const flags: readonly PanelBuilder[] = [
  timeSeries({
    title: 'Flags of upstreams',
    reads: 'Events per second behind the response flags of the access log that blame an upstream.',
    good: 'zero. UF, UC and UR are retried; UH and UO are answered UNAVAILABLE at once.',
    unit: units.perSecond,
    queries: [
      query(upstream('envoy_cluster_upstream_cx_connect_fail'), 'UF no connection'),
      query(upstream('envoy_cluster_upstream_cx_destroy_remote_with_active_rq'), 'UC connection cut'),
      query(upstream('envoy_cluster_upstream_rq_rx_reset'), 'UR stream reset'),
      query(upstream('envoy_cluster_upstream_cx_none_healthy'), 'UH nobody healthy'),
      query(upstream('envoy_cluster_upstream_rq_pending_overflow'), 'UO overflow'),
      query(upstream('envoy_cluster_upstream_rq_timeout'), 'UT time-out'),
      query(upstream('envoy_cluster_upstream_rq_retry_limit_exceeded'), 'URX retries used up'),
    ],
  }),
  timeSeries({
    title: 'Flags of callers and routes',
    reads: 'Events per second behind the response flags of the access log that blame a caller, a route or the time.',
    good: 'zero but for callers that cancel (DR). A deadline has no flag: the access log says max_duration_timeout.',
    unit: units.perSecond,
    queries: [
      query(downstream('envoy_http_downstream_rq_rx_reset'), 'DR reset by the caller'),
      query(downstream('envoy_http_downstream_cx_destroy_remote_active_rq'), 'DC caller went away'),
      query(downstream('envoy_http_downstream_cx_protocol_error'), 'DPE protocol error'),
      query(downstream('envoy_http_no_route'), 'NR no route'),
      query(downstream('envoy_http_downstream_rq_idle_timeout'), 'SI silent stream'),
      query(downstream('envoy_http_downstream_rq_max_duration_reached'), 'deadline'),
    ],
  }),
];
