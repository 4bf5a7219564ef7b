import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';

/** What `assert.rejects` shall find of an RpcError: INVALID_ARGUMENT with exactly these fields, in this order. */
export function violates(...fields: string[]) {
  return (error: { code?: status; violations?: readonly { field: string }[] }): boolean =>
    error.code === status.INVALID_ARGUMENT && error.violations?.map(violation => violation.field).join() === fields.join();
}

/** Waits until `condition` is true; throws an Error that names it when it is not within five seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > 5000) throw new Error(`not within 5 s: ${condition}`);
    await wait(10);
  }
}

/** Waits until a signal is aborted, also when it is already: an event that has been is never heard. */
export async function whenAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
