/**
 * To be preloaded: `node --import ./services/kit/telemetry.ts services/users/main.ts`. Spans are made when OTEL_EXPORTER_OTLP_ENDPOINT
 * says where to send them; else this costs nothing.
 *
 * An ES module can be instrumented only by a loader hook that is there before it is imported; without one there are no spans, and
 * nothing says so.
 */
import { register } from 'import-in-the-middle/register-hooks.mjs';

if (process.env.OTEL_EXPORTER_OTLP_ENDPOINT) {
  register({ include: ['@grpc/grpc-js'] });
  const { startTracing } = await import('./tracing.ts');
  startTracing();
}
