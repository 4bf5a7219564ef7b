import { setTimeout as wait } from 'node:timers/promises';
import { ProxyTracerProvider, trace } from '@opentelemetry/api';

/** How long the collector may hold up the end of the process, in milliseconds. */
const FLUSH_TIMEOUT_MS = 1000;

/** Sends the spans that still wait, if there are any; gives up after a second. Never rejects. */
export async function flushSpans(): Promise<void> {
  const provider = trace.getTracerProvider();
  const sdk: object = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  if (!('forceFlush' in sdk) || typeof sdk.forceFlush !== 'function') return;
  const flushed: Promise<unknown> = sdk.forceFlush();
  await Promise.race([flushed.catch(() => {}), wait(FLUSH_TIMEOUT_MS, undefined, { ref: false })]);
}
