import { type PanelBuilder, timeSeries } from '../panel.ts';
import { envoy, inService, max, meshClusters, rate, sum } from '../promql.ts';
import { query } from '../query.ts';
import { units } from '../units.ts';

const cluster = 'service, envoy_cluster_name';
const pair = '{{service}} → {{envoy_cluster_name}}';
const upstreams = (metric: string) => envoy(metric, inService, meshClusters);
const now = (metric: string) => sum(cluster, upstreams(metric));
const connections = (metric: string) => sum('service', rate(envoy(metric, inService)));
const perSecond = (metric: string) => sum(cluster, rate(upstreams(metric)));

/** The panels of what Envoys do against trouble. */
export const protection: readonly PanelBuilder[] = [
  timeSeries({
    title: 'Healthy members',
    reads: 'Pods of an upstream that may get calls, summed over the Envoys of the caller.',
    good: 'pods of the caller times pods of the upstream. Zero: every call is answered UNAVAILABLE at once (flag UH).',
    unit: units.count,
    queries: [query(now('envoy_cluster_membership_healthy'), pair)],
  }),
  timeSeries({
    title: 'Members that get no calls',
    reads: 'Pods that discovery knows and that are unhealthy or ejected.',
    good: 'zero but for the seconds of a restart.',
    unit: units.count,
    queries: [query(`${now('envoy_cluster_membership_total')} - ${now('envoy_cluster_membership_healthy')}`, pair)],
  }),
  timeSeries({
    title: 'Ejected pods',
    reads: 'Pods that an Envoy avoids now because connections to them failed five times running, at most half of an upstream.',
    good: 'zero. One for 5 s is a pod that died; one that stays is a pod that cannot be reached.',
    unit: units.count,
    queries: [query(now('envoy_cluster_outlier_detection_ejections_active'), pair)],
  }),
  timeSeries({
    title: 'Failed health checks',
    reads: 'Health checks per second that failed; each Envoy checks each pod once a second.',
    good: 'zero. Two in a row take a pod out.',
    unit: units.perSecond,
    queries: [query(perSecond('envoy_cluster_health_check_failure'), pair)],
  }),
  timeSeries({
    title: 'Retries',
    reads: 'Attempts per second that repeat a failed one, and how many of them succeeded.',
    good: 'zero, and all of them successful when not. "succeeded" far below: the trouble is not one pod’s.',
    unit: units.callsPerSecond,
    queries: [
      query(perSecond('envoy_cluster_upstream_rq_retry'), `${pair} tried`),
      query(perSecond('envoy_cluster_upstream_rq_retry_success'), `${pair} succeeded`),
    ],
  }),
  timeSeries({
    title: 'Retries that were not made',
    reads:
      'Retries per second that the budget forbade (a fifth of the calls under way, or 50), or that were one too many (after two).',
    good: 'zero. The budget is what keeps retries from doubling the load of who is overloaded.',
    unit: units.callsPerSecond,
    queries: [
      query(perSecond('envoy_cluster_upstream_rq_retry_overflow'), `${pair} over budget`),
      query(perSecond('envoy_cluster_upstream_rq_retry_limit_exceeded'), `${pair} one too many`),
    ],
  }),
  timeSeries({
    title: 'Calls refused by circuit breakers',
    reads: 'Calls per second that an Envoy refused because too many were under way or waiting (limits.callsPerUpstream).',
    good: 'zero.',
    unit: units.callsPerSecond,
    queries: [
      query(perSecond('envoy_cluster_upstream_rq_pending_overflow'), `${pair} waiting`),
      query(perSecond('envoy_cluster_upstream_rq_active_overflow'), `${pair} under way`),
    ],
  }),
  timeSeries({
    title: 'Room left in circuit breakers',
    reads: 'Calls that may be added before an Envoy refuses, the least over the pods of the caller.',
    good: 'near limits.callsPerUpstream.',
    unit: units.calls,
    queries: [query(`min by (${cluster}) (${upstreams('envoy_cluster_circuit_breakers_default_remaining_rq')})`, pair)],
  }),
  timeSeries({
    title: 'Connections in use',
    reads: 'Open connections of callers, in percent of limits.connections, the most over the pods.',
    good: 'below 70. From there on idle connections are closed sooner, from 90 on after a second; at 100 new ones are refused.',
    unit: units.percent,
    limit: 90,
    queries: [
      query(
        max('service', envoy('envoy_overload_envoy_resource_monitors_injected_resource_pressure', inService)),
        '{{service}}',
      ),
    ],
  }),
  timeSeries({
    title: 'Connections closed or refused',
    reads:
      'Connections per second that were closed because they were idle, that ended with an answer to make room, and that were refused because limits.connections are open.',
    good: 'no "refused" and no "made room"; "idle" as often as callers go away without a word.',
    unit: units.perSecond,
    queries: [
      query(connections('envoy_http_downstream_cx_idle_timeout'), '{{service}} idle'),
      query(connections('envoy_http_downstream_cx_overload_disable_keepalive'), '{{service}} made room'),
      query(connections('envoy_listener_downstream_global_cx_overflow'), '{{service}} refused'),
    ],
  }),
];
