import { type Span, TraceFlags } from '@opentelemetry/api';
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type Metric,
  type OpenMetricsContentType,
  Registry,
  type RegistryContentType,
} from 'prom-client';

/** The content types of the two text formats; only OpenMetrics can carry exemplars. */
export const { OPENMETRICS_CONTENT_TYPE: OPEN_METRICS, PROMETHEUS_CONTENT_TYPE: PROMETHEUS_TEXT } = Registry;

/** What this process measures. Read it by {@link readMetrics}: prom-client renames the counters when it writes OpenMetrics. */
const registry = new Registry<OpenMetricsContentType>();
registry.setContentType(OPEN_METRICS); // else prom-client takes no exemplars
const registers = [registry];

/** Set the gauges that are not kept but looked up; run whenever the metrics are read. */
export const samplers = new Set<() => void>();

/** Bounds in seconds, for durations and budgets: from what one hop takes to the longest deadlines. */
const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10];
/** Bounds in bytes, for messages: to the 4 MiB that gRPC takes by default. */
const BYTES = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];

/**
 * Every metric, by the part that it is about; the names are stable. Those of `grpc_` follow gRFC A66 and A94, those of `rpc_` the
 * RPC conventions of OpenTelemetry, both in Prometheus' form. A label's values are bounded whatever callers send: methods are
 * those of our own contracts, codes are the seventeen of gRPC.
 *
 * `grpc_method`: "telltale.users.v1.UserService/GetUser"; `grpc_status`: the code's name; `grpc_target`: the upstream's short name.
 *
 * @see https://github.com/grpc/proposal/blob/master/A66-otel-stats.md
 * @see https://github.com/grpc/proposal/blob/master/A94-subchannel-otel-metrics.md
 */
export const metrics = {
  server: {
    started: new Counter({
      name: 'grpc_server_call_started_total',
      help: 'Calls that arrived, with those that have not ended',
      labelNames: ['grpc_method'],
      registers,
    }),
    duration: new Histogram({
      name: 'grpc_server_call_duration_seconds',
      help: 'From the arrival of a call until it was answered, cancelled or expired',
      labelNames: ['grpc_method', 'grpc_status'],
      buckets: SECONDS,
      enableExemplars: true,
      registers,
    }),
    active: new Gauge({
      name: 'telltale_server_calls_active',
      help: 'Calls whose handler has not stopped',
      labelNames: ['grpc_method'],
      registers,
    }),
    budget: new Histogram({
      name: 'telltale_server_call_budget_seconds',
      help: 'What was left of the deadline when a call arrived',
      labelNames: ['grpc_method'],
      buckets: SECONDS,
      registers,
    }),
    withoutDeadline: new Counter({
      name: 'telltale_server_calls_without_deadline_total',
      help: 'Calls that brought no deadline',
      labelNames: ['grpc_method'],
      registers,
    }),
    ended: new Counter({
      name: 'telltale_server_calls_ended_total',
      help: 'Calls by who ended them first: handler, caller, deadline or drain',
      labelNames: ['grpc_method', 'ended_by'],
      registers,
    }),
    workAfterEnd: new Histogram({
      name: 'telltale_server_work_after_end_seconds',
      help: 'How long the handler of a call that was cancelled, expired or drained went on for nobody',
      labelNames: ['grpc_method'],
      buckets: SECONDS,
      registers,
    }),
    retries: new Counter({
      name: 'telltale_server_call_retries_total',
      help: 'Calls that arrived as a second or later attempt',
      labelNames: ['grpc_method'],
      registers,
    }),
    requestSize: new Histogram({
      name: 'rpc_server_request_size_bytes',
      help: 'The size of each message received, as it is when unpacked',
      labelNames: ['grpc_method'],
      buckets: BYTES,
      registers,
    }),
    responseSize: new Histogram({
      name: 'rpc_server_response_size_bytes',
      help: 'The size of each message sent',
      labelNames: ['grpc_method'],
      buckets: BYTES,
      registers,
    }),
    connections: new Gauge({
      name: 'telltale_server_connections_active',
      help: 'Connections that are open',
      registers,
    }),
    connectionsTotal: new Counter({
      name: 'telltale_server_connections_total',
      help: 'Connections that were accepted',
      registers,
    }),
    connectionsClosed: new Counter({
      name: 'telltale_server_connections_closed_total',
      help: 'Connections closed for what their peer did: handshake (it never spoke HTTP/2), silent (no answer to a ping), protocol (broke or flooded it)',
      labelNames: ['reason'],
      registers,
    }),
    streamsMax: new Gauge({
      name: 'telltale_server_connection_streams_max',
      help: 'The streams that are open at this moment on the connection that has most of them',
      registers,
    }),
  },
  client: {
    started: new Counter({
      name: 'grpc_client_call_started_total',
      help: 'Calls that were made, with those that have not ended',
      labelNames: ['grpc_method', 'grpc_target'],
      registers,
    }),
    duration: new Histogram({
      name: 'grpc_client_call_duration_seconds',
      help: 'From the making of a call until it ended, with everything that proxies have tried',
      labelNames: ['grpc_method', 'grpc_target', 'grpc_status'],
      buckets: SECONDS,
      enableExemplars: true,
      registers,
    }),
    active: new Gauge({
      name: 'telltale_client_calls_active',
      help: 'Calls that have not ended',
      labelNames: ['grpc_method', 'grpc_target'],
      registers,
    }),
    queued: new Gauge({
      name: 'telltale_client_calls_queued',
      help: 'Calls that wait for a connection',
      labelNames: ['grpc_target'],
      registers,
    }),
  },
  subchannel: {
    open: new Gauge({
      name: 'grpc_subchannel_open_connections',
      help: 'Connections that are open',
      labelNames: ['grpc_target'],
      registers,
    }),
    disconnections: new Counter({
      name: 'grpc_subchannel_disconnections_total',
      help: 'Connections that were lost or closed',
      labelNames: ['grpc_target'],
      registers,
    }),
    succeeded: new Counter({
      name: 'grpc_subchannel_connection_attempts_succeeded_total',
      help: 'Connections that were made',
      labelNames: ['grpc_target'],
      registers,
    }),
    failed: new Counter({
      name: 'grpc_subchannel_connection_attempts_failed_total',
      help: 'Attempts to connect that failed',
      labelNames: ['grpc_target'],
      registers,
    }),
  },
  database: {
    connections: new Gauge({
      name: 'telltale_database_connections',
      help: 'Connections to the database: idle, busy; and statements waiting for one',
      labelNames: ['state'],
      registers,
    }),
    statementDuration: new Histogram({
      name: 'telltale_database_statement_duration_seconds',
      help: 'How long a statement took, with the wait for a connection or a lock',
      labelNames: ['outcome'],
      buckets: SECONDS,
      registers,
    }),
  },
  ledger: {
    charges: new Counter({
      name: 'telltale_ledger_charges_total',
      help: 'Charges asked for: charged, replayed (an earlier request had made it) or refused',
      labelNames: ['outcome'],
      registers,
    }),
  },
  records: {
    dropped: new Counter({
      name: 'telltale_records_dropped_total',
      help: 'Records of marked calls that the queue had no room for',
      registers,
    }),
  },
  spans: {
    dropped: new Counter({
      name: 'telltale_spans_dropped_total',
      help: 'Spans that the queue had no room for, or that the collector did not take',
      registers,
    }),
  },
} as const;

/** Observes a value with its trace as an exemplar, when that trace is kept at all. */
export function observeTraced<Label extends string>(
  histogram: Histogram<Label>,
  labels: Record<Label, string>,
  value: number,
  span: Span | undefined,
): void {
  const context = span?.spanContext();
  const kept = context && (context.traceFlags & TraceFlags.SAMPLED) !== 0;
  const exemplarLabels = kept ? { trace_id: context.traceId, span_id: context.spanId } : {};
  // prom-client's types take an exemplar's labels for those of the metric
  histogram.observe({ labels, value, exemplarLabels: exemplarLabels as object });
}

/** The text of all metrics, as it is now, in one of the two formats. Rejects with what a sampler throws. */
export async function readMetrics(contentType: RegistryContentType = OPEN_METRICS): Promise<string> {
  for (const sample of samplers) sample();
  const shown = new Registry<RegistryContentType>();
  shown.setContentType(contentType);
  for (const metric of registry.getMetricsAsArray() as unknown as Readable[]) {
    const isRenamed = contentType === OPEN_METRICS && metric.type === 'counter';
    shown.registerMetric((isRenamed ? withoutTotal(metric) : metric) as unknown as Metric);
  }
  return shown.metrics();
}

/** What prom-client reads of a metric. */
interface Readable {
  readonly name: string;
  readonly type: string;
  get(): Promise<object>;
}

/** A counter by the name of its family in OpenMetrics. prom-client would take "_total" away from the counter itself, for both formats. */
function withoutTotal(counter: Readable): Readable {
  const name = counter.name.replace(/_total$/, '');
  return { name, type: counter.type, get: async () => ({ ...(await counter.get()), name }) };
}

let measuring = true;

/** Whether calls are measured. */
export const isMeasuring = (): boolean => measuring;

/** Measures no call any more: for the benchmark of what measuring costs. */
export function stopMeasuring(): void {
  measuring = false;
}

/** Adds what prom-client measures of Node itself: event loop, garbage collection, heap, CPU, handles. Call it once. */
export function measureRuntime(): void {
  collectDefaultMetrics({ register: registry });
}
