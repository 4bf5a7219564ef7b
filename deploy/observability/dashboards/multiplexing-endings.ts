import { type PanelBuilder, timeSeries } from '../panel.ts';
import { app, envoy, inService, meshClusters, rate, sum } from '../promql.ts';
import { query } from '../query.ts';
import { units } from '../units.ts';

const cluster = 'service, envoy_cluster_name';
const perCluster = (metric: string) => sum(cluster, rate(envoy(metric, inService, meshClusters)));
const perTarget = (expr: string) => sum('service, grpc_target', expr);
const open = perTarget(app('grpc_subchannel_open_connections', inService));
/** A series that begins with the first such event is zero before. */
const orZero = (expr: string) => `${expr} or 0 * ${open}`;
const perService = (metric: string) => sum('service', rate(envoy(metric, inService)));

/** The panels of GOAWAY, resets and connections that end. */
export const endings: readonly PanelBuilder[] = [
  timeSeries({
    title: 'GOAWAY',
    reads: 'Connections per second that were told to end: "sent" by an Envoy to its callers, "received" from an upstream.',
    good: 'zero but for the seconds of a restart or a scale-down, when it is what keeps calls from being lost.',
    unit: units.perSecond,
    queries: [
      query(perService('envoy_http2_goaway_sent'), '{{service}} sent'),
      query(perCluster('envoy_cluster_upstream_cx_close_notify'), '{{service}} received from {{envoy_cluster_name}}'),
    ],
  }),
  timeSeries({
    title: 'Streams that callers reset',
    reads: 'RST_STREAM per second that each Envoy got from its callers: cancelled calls and deadlines that passed.',
    good: 'about the rate of CANCELLED and DEADLINE_EXCEEDED. Resets are ordinary; only limits on them take connections down.',
    unit: units.perSecond,
    queries: [query(perService('envoy_http2_rx_reset'), '{{service}}')],
  }),
  timeSeries({
    title: 'Streams that were reset on the way',
    reads: 'RST_STREAM per second that an Envoy sent to an upstream ("given up") and got from one ("refused").',
    good: '"refused" at zero: an upstream that resets has lost its app or its patience.',
    unit: units.perSecond,
    queries: [
      query(perCluster('envoy_cluster_upstream_rq_tx_reset'), '{{service}} → {{envoy_cluster_name}} given up'),
      query(perCluster('envoy_cluster_upstream_rq_rx_reset'), '{{service}} → {{envoy_cluster_name}} refused'),
    ],
  }),
  timeSeries({
    title: 'Connections cut for what their callers did',
    reads:
      'Connections per second that an Envoy ended because their callers reset too many young streams, and that an app ended: ' +
      'no handshake in time, or a peer that breaks the protocol or floods it.',
    good: 'zero, always: it takes everybody else’s calls down with it, so the guards are set out of reach.',
    unit: units.perSecond,
    queries: [
      query(perService('envoy_http_downstream_rq_too_many_premature_resets'), '{{service}} resets'),
      query(
        `${sum('service, reason', rate(app('telltale_server_connections_closed_total', inService)))} or 0 * ${sum('service', app('up', inService))}`,
        '{{service}} app {{reason}}',
      ),
    ],
  }),
  timeSeries({
    title: 'Connections that ended with calls on them',
    reads: 'Connections to an upstream per second that ended while calls were under way.',
    good: 'zero but for a pod that was killed. Each one is a handful of retries.',
    unit: units.perSecond,
    queries: [query(perCluster('envoy_cluster_upstream_cx_destroy_with_active_rq'), '{{service}} → {{envoy_cluster_name}}')],
  }),
  timeSeries({
    title: 'Connections of apps to their sidecars',
    reads: 'Open connections of each app to its own sidecar, by target.',
    good: 'one for each target and pod.',
    unit: units.count,
    queries: [query(open, '{{service}} → {{grpc_target}}')],
  }),
  timeSeries({
    title: 'Connections that apps lost',
    reads: 'Connections of apps to their own sidecars per second that were lost, made, or could not be made, by target.',
    good: 'zero but when a sidecar restarts; for each one lost, one made.',
    unit: units.perSecond,
    queries: [
      query(perTarget(rate(app('grpc_subchannel_disconnections_total', inService))), '{{service}} → {{grpc_target}} lost'),
      query(
        perTarget(rate(app('grpc_subchannel_connection_attempts_succeeded_total', inService))),
        '{{service}} → {{grpc_target}} made',
      ),
      query(
        orZero(perTarget(rate(app('grpc_subchannel_connection_attempts_failed_total', inService)))),
        '{{service}} → {{grpc_target}} not made',
      ),
    ],
  }),
];
