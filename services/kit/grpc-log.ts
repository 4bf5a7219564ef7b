import { setLogger } from '@grpc/grpc-js';
import type { Logger } from './log.ts';

/**
 * Has what grpc-js itself logs written by this logger, as warnings: errors, or what GRPC_VERBOSITY and GRPC_TRACE ask for. By itself
 * it would write plain text, in which a caller's metadata stand as they came.
 *
 * @see https://github.com/grpc/grpc-node/blob/master/packages/grpc-js/src/logging.ts
 */
export function logGrpc(logger: Logger): void {
  const write = (message?: unknown) => logger.warn({ from: 'grpc-js' }, withoutValue(String(message)));
  setLogger({ error: write, info: write, debug: write });
}

/** The message about metadata that are no legal text says their name and not their value, which may be a secret. */
function withoutValue(message: string): string {
  const [, about] = /^(Failed to add metadata entry [\w.-]+): /.exec(message) ?? [];
  return about === undefined ? message : `${about}: its value is no legal text`;
}
