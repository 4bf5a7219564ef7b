import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { FlowContextManager, SampledInstrumentation } from './sampled-instrumentation.ts';
import { spanProcessor } from './span-export.ts';

/** How many spans wait at most to be sent; beyond it they are dropped and counted. A span takes about 1 KB. */
const MAX_QUEUE_SIZE = 4096;

/** How long the collector may take to answer, in milliseconds. */
const EXPORT_TIMEOUT_MS = 5000;

/**
 * Starts OpenTelemetry as the OTEL_ variables say: where spans go (OTEL_EXPORTER_OTLP_ENDPOINT, by HTTP), which are kept
 * (OTEL_TRACES_SAMPLER, by default every one whose parent is), and who says so (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES).
 * Metrics and logs go their own way.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function startTracing(): void {
  const { TELLTALE_POD = 'local', OTEL_RESOURCE_ATTRIBUTES } = process.env;
  process.env.OTEL_RESOURCE_ATTRIBUTES = [OTEL_RESOURCE_ATTRIBUTES, `k8s.pod.name=${TELLTALE_POD}`].filter(Boolean).join();
  process.env.OTEL_NODE_RESOURCE_DETECTORS ??= 'env'; // the others put the host and the command line on every span
  process.env.OTEL_PROPAGATORS ??= 'tracecontext'; // nobody here reads baggage, and the edge lets none in
  const exporter = new OTLPTraceExporter({ timeoutMillis: EXPORT_TIMEOUT_MS });
  const sdk = new NodeSDK({
    spanProcessors: [spanProcessor(exporter, { maxQueueSize: MAX_QUEUE_SIZE, exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
    contextManager: new FlowContextManager(),
    instrumentations: [new SampledInstrumentation({ ignoreGrpcMethods: ['Check', 'Watch', 'List', 'ServerReflectionInfo'] })],
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
}
