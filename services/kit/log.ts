import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type Logger, pino } from 'pino';

export type { Logger };

/** The levels of {@link createLogger}, the most talkative first; `silent` writes nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * A logger that writes one line of JSON per event to standard output: `level`, `time` (ISO 8601), `service`, `pod`, `msg`,
 * `trace_id` and `span_id` where there is a span, and the event's own fields. Control characters and the line separators of Unicode
 * are escaped, so that no input can forge a line, wherever it is read. Never log a payload or a secret.
 */
export function createLogger(options: { service: string; pod: string; level: LogLevel }): Logger {
  return pino({
    level: options.level,
    base: { service: options.service, pod: options.pod },
    formatters: { level: label => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: traceOf,
    serializers: { error: pino.stdSerializers.err },
    hooks: { streamWrite: escapeRest },
  });
}

/** Escapes what JSON allows as it is: to a terminal U+009B is the beginning of a command, to some readers U+2028 the end of a line. */
function escapeRest(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function traceOf(): object {
  const context = trace.getActiveSpan()?.spanContext();
  return context && isSpanContextValid(context) ? { trace_id: context.traceId, span_id: context.spanId } : {};
}
