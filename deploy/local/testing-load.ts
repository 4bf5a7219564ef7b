import { setTimeout as wait } from 'node:timers/promises';
import { RpcError } from '../../services/kit/rpc-error.ts';
import { quantile } from '../../services/lab/measure/statistics.ts';

/** What became of the calls of a load. */
export interface LoadResult {
  readonly calls: number;
  /** The message of each call that failed, with when it was due, in milliseconds since the start. */
  readonly failures: { readonly dueMs: number; readonly message: string }[];
  /** When each other call was due, in milliseconds since the start, and how long it took from then. */
  readonly answers: { readonly dueMs: number; readonly tookMs: number }[];
}

/**
 * Makes `rate` calls a second, each when it is due and none before, whatever has become of those before it, until `during` has settled.
 *
 * @param call is given the number of the call, from 0
 * @returns when the last call has ended; rejects as `during` does
 */
export async function loadWhile(
  during: Promise<unknown>,
  rate: number,
  call: (n: number) => Promise<unknown>,
): Promise<LoadResult> {
  const failures: LoadResult['failures'] = [];
  const answers: LoadResult['answers'] = [];
  const open: Promise<void>[] = [];
  const start = performance.now();
  const make = async (n: number, dueMs: number) => {
    try {
      await call(n);
      answers.push({ dueMs, tookMs: performance.now() - start - dueMs });
    } catch (error) {
      failures.push({ dueMs, message: messageOf(error) });
    }
  };
  let over = false;
  const ending = during.finally(() => {
    over = true;
  });
  ending.catch(() => {});
  for (let n = 0; !over; n++) {
    const dueMs = (n * 1000) / rate;
    const earlyMs = () => dueMs - (performance.now() - start);
    while (earlyMs() > 0) await wait(Math.ceil(earlyMs())); // a timer may fire a fraction of a millisecond early
    open.push(make(n, dueMs));
  }
  await Promise.all(open);
  await ending;
  return { calls: open.length, failures, answers };
}

/** The code, the reason, the text, when to try again, and where it came from, for a test's report. */
function messageOf(error: unknown): string {
  if (!(error instanceof RpcError)) return String(error);
  const { metadata } = (error.cause ?? {}) as { metadata?: { getMap(): Record<string, unknown> } };
  const { 'grpc-status-details-bin': _, ...trailers } = metadata?.getMap() ?? {};
  const again = error.retryAfterMs === undefined ? '' : `, retry after ${error.retryAfterMs} ms`;
  return `${error.code} ${error.reason}: ${error.message}${again} ${JSON.stringify(trailers)}`;
}

/** The latency in milliseconds below which a share `q` of the answered calls lies; NaN when none was answered. */
export const latencyMs = ({ answers }: Pick<LoadResult, 'answers'>, q: number): number =>
  quantile(
    answers.map(({ tookMs }) => tookMs),
    q,
  );
