import { grpcCodes } from './grpc-codes.ts';
import { recordedNames } from './slo-rules.ts';

/** A metric as it is exported. */
export interface Metric {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** Its own labels, besides {@link targetLabels}. */
  readonly labels: readonly string[];
}

/** The labels that Prometheus adds to everything that it reads from a pod. */
export const targetLabels = ['job', 'namespace', 'service', 'pod'] as const;

const metric =
  (kind: Metric['kind']) =>
  (...labels: string[]): Metric => ({ kind, labels });
const [counter, gauge, histogram] = [metric('counter'), metric('gauge'), metric('histogram')];

/** What the apps export (job `app`): calls by gRFC A66 and A94, their own, and of Node's only what is used here. */
export const appMetrics: Readonly<Record<string, Metric>> = {
  grpc_server_call_started_total: counter('grpc_method'),
  grpc_server_call_duration_seconds: histogram('grpc_method', 'grpc_status'),
  grpc_client_call_started_total: counter('grpc_method', 'grpc_target'),
  grpc_client_call_duration_seconds: histogram('grpc_method', 'grpc_target', 'grpc_status'),
  grpc_subchannel_open_connections: gauge('grpc_target'),
  grpc_subchannel_disconnections_total: counter('grpc_target'),
  grpc_subchannel_connection_attempts_succeeded_total: counter('grpc_target'),
  grpc_subchannel_connection_attempts_failed_total: counter('grpc_target'),
  rpc_server_request_size_bytes: histogram('grpc_method'),
  rpc_server_response_size_bytes: histogram('grpc_method'),
  telltale_server_calls_active: gauge('grpc_method'),
  telltale_client_calls_active: gauge('grpc_method', 'grpc_target'),
  telltale_server_connections_active: gauge(),
  telltale_server_connections_total: counter(),
  telltale_server_connections_closed_total: counter('reason'),
  telltale_server_connection_streams_max: gauge(),
  telltale_server_call_budget_seconds: histogram('grpc_method'),
  telltale_server_calls_without_deadline_total: counter('grpc_method'),
  telltale_server_calls_ended_total: counter('grpc_method', 'ended_by'),
  telltale_server_work_after_end_seconds: histogram('grpc_method'),
  telltale_server_call_retries_total: counter('grpc_method'),
  telltale_client_calls_queued: gauge('grpc_target'),
  telltale_database_connections: gauge('state'),
  telltale_database_statement_duration_seconds: histogram('outcome'),
  telltale_ledger_charges_total: counter('outcome'),
  telltale_spans_dropped_total: counter(),
  telltale_records_dropped_total: counter(),
  nodejs_eventloop_lag_p99_seconds: gauge(),
  nodejs_gc_duration_seconds: histogram('kind'),
  nodejs_heap_size_used_bytes: gauge(),
  nodejs_heap_size_total_bytes: gauge(),
  nodejs_external_memory_bytes: gauge(),
  nodejs_active_resources: gauge('type'),
  process_cpu_seconds_total: counter(),
  process_resident_memory_bytes: gauge(),
  process_start_time_seconds: gauge(),
};

const [name, prefix, address] = ['envoy_cluster_name', 'envoy_http_conn_manager_prefix', 'envoy_listener_address'];

/**
 * What is read of Envoy's statistics (job `envoy`), by the names that Envoy 1.40 has at `/stats/prometheus`. A matcher of
 * statistics in Envoy's own configuration must let all of these through.
 */
export const envoyMetrics: Readonly<Record<string, Metric>> = {
  ...Object.fromEntries(grpcCodes.map(({ number }) => [`envoy_cluster_grpc_${number}`, counter(name)])),
  envoy_cluster_circuit_breakers_default_remaining_rq: gauge(name),
  envoy_cluster_health_check_failure: counter(name),
  envoy_cluster_http2_streams_active: gauge(name),
  envoy_cluster_membership_healthy: gauge(name),
  envoy_cluster_membership_total: gauge(name),
  envoy_cluster_outlier_detection_ejections_active: gauge(name),
  envoy_cluster_upstream_cx_active: gauge(name),
  envoy_cluster_upstream_cx_close_notify: counter(name),
  envoy_cluster_upstream_cx_connect_fail: counter(name),
  envoy_cluster_upstream_cx_destroy_remote_with_active_rq: counter(name),
  envoy_cluster_upstream_cx_destroy_with_active_rq: counter(name),
  envoy_cluster_upstream_cx_none_healthy: counter(name),
  envoy_cluster_upstream_rq_active_overflow: counter(name),
  envoy_cluster_upstream_rq_completed: counter(name),
  envoy_cluster_upstream_rq_pending_overflow: counter(name),
  envoy_cluster_upstream_rq_retry: counter(name),
  envoy_cluster_upstream_rq_retry_limit_exceeded: counter(name),
  envoy_cluster_upstream_rq_retry_overflow: counter(name),
  envoy_cluster_upstream_rq_retry_success: counter(name),
  envoy_cluster_upstream_rq_rx_reset: counter(name),
  envoy_cluster_upstream_rq_time: histogram(name),
  envoy_cluster_upstream_rq_timeout: counter(name),
  envoy_cluster_upstream_rq_total: counter(name),
  envoy_cluster_upstream_rq_tx_reset: counter(name),
  envoy_cluster_upstream_rq_xx: counter(name, 'envoy_response_code_class'),
  envoy_http2_goaway_sent: counter(),
  envoy_http2_rx_reset: counter(),
  envoy_http_downstream_cx_active: gauge(prefix),
  envoy_http_downstream_cx_destroy_remote_active_rq: counter(prefix),
  envoy_http_downstream_cx_idle_timeout: counter(prefix),
  envoy_http_downstream_cx_overload_disable_keepalive: counter(prefix),
  envoy_http_downstream_cx_protocol_error: counter(prefix),
  envoy_http_downstream_rq_active: gauge(prefix),
  envoy_http_downstream_rq_idle_timeout: counter(prefix),
  envoy_http_downstream_rq_max_duration_reached: counter(prefix),
  envoy_http_downstream_rq_rx_reset: counter(prefix),
  envoy_http_downstream_rq_too_many_premature_resets: counter(prefix),
  envoy_http_downstream_rq_xx: counter(prefix, 'envoy_response_code_class'),
  envoy_http_no_route: counter(prefix),
  envoy_listener_downstream_global_cx_overflow: counter(address),
  envoy_overload_envoy_resource_monitors_injected_resource_pressure: gauge(),
  envoy_server_live: gauge(),
  envoy_server_memory_allocated: gauge(),
};

/** What Prometheus makes itself: of its scrapes, of our alerts, of our recording rules. */
const ownMetrics: Readonly<Record<string, Metric>> = {
  up: gauge(),
  ALERTS: gauge('alertname', 'alertstate', 'severity', 'slo', name),
  ...Object.fromEntries(recordedNames.map(recorded => [recorded, gauge('slo')])),
};

/** Every metric that an expression may name. */
export const inventory: Readonly<Record<string, Metric>> = { ...appMetrics, ...envoyMetrics, ...ownMetrics };
