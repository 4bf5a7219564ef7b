import { status } from '@grpc/grpc-js';
import { RpcError, type Violation } from './rpc-error.ts';

/** How many violations an answer lists at most: all of them together must fit into one response header. */
const LISTED = 20;

/** Notes that `field` breaks the rule in `description` unless `holds`. */
export type Check = (holds: boolean, field: string, description: string) => void;

/**
 * Runs every check of a request and then throws one INVALID_ARGUMENT that lists the violated fields, all up to 20.
 *
 * @param describe calls `check` once for each rule; the path of a field is written as in the `.proto`
 * @throws RpcError INVALID_ARGUMENT with reason INVALID_REQUEST and google.rpc.BadRequest
 */
export function validate(describe: (check: Check) => void): void {
  const violations: Violation[] = [];
  describe((holds, field, description) => {
    if (!holds) violations.push({ field, description });
  });
  if (violations.length === 0) return;
  const listed = violations.slice(0, LISTED);
  const more = violations.length > LISTED ? `; and ${violations.length - LISTED} more` : '';
  const message = listed.map(violation => `${violation.field}: ${violation.description}`).join('; ') + more;
  throw new RpcError(status.INVALID_ARGUMENT, message, { reason: 'INVALID_REQUEST', violations: listed });
}

/** A value for an error message, as JSON and at most 40 characters of it, so that a long one does not flood it. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  const characters = [...text.slice(0, 200)]; // code points: a pair of surrogates is not cut in two
  return characters.length <= 40 ? text : `${characters.slice(0, 39).join('')}…`;
}
