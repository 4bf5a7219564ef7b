import { styleText } from 'node:util';
import { status } from '@grpc/grpc-js';
import { RpcError, TRANSPORT } from '../../kit/rpc-error.ts';

/** A failure for the person at the terminal: printed without a stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** 1 for a failure, 2 for a command that cannot be meant. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The failure of a call to the lab at `address`, in words that say what to do. Anything else comes back as it is. */
export function explain(error: unknown, address: string): unknown {
  if (!(error instanceof RpcError)) return error;
  if (error.violations.length > 0) {
    const lines = error.violations.map(({ field, description }) => `${field.replace(/^parameters\./, '')}: ${description}`);
    return new CliError(lines.join('\n'), 2);
  }
  if (error.code === status.NOT_FOUND || error.code === status.INVALID_ARGUMENT) return new CliError(error.message, 2);
  if (error.code === status.UNIMPLEMENTED) {
    return new CliError(`the edge at ${address} leads to no lab: install the chart with experiments=true`, 1);
  }
  if (error.code === status.UNAVAILABLE && error.reason === TRANSPORT) {
    return new CliError(`no lab answers at ${address}. Start one with: make up; or name another edge: --address host:port`, 1);
  }
  return new CliError(`${status[error.code]}: ${error.message}`, 1);
}

/** Prints what went wrong and returns the exit code; throws what nobody has foreseen. */
export function complain(error: unknown): number {
  if (!(error instanceof CliError)) throw error;
  process.stderr.write(`${styleText('red', error.message, { stream: process.stderr })}\n`);
  return error.exitCode;
}
