import type { Metadata } from '@grpc/grpc-js';
import { isValidTraceId, trace } from '@opentelemetry/api';

/**
 * The id of the trace that a call belongs to: what the call brought in `traceparent`, whether or not this process sends spans, else
 * that of the active span; undefined where nobody traces.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function traceIdOf(metadata: Metadata): string | undefined {
  const [, id = ''] = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(String(metadata.get('traceparent')[0])) ?? [];
  return isValidTraceId(id) ? id : trace.getActiveSpan()?.spanContext().traceId;
}
