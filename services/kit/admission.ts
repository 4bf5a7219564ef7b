import { status } from '@grpc/grpc-js';
import { TooLong } from './codec.ts';
import type { MethodName } from './method.ts';
import { RpcError, type Violation } from './rpc-error.ts';
import { invalidRequest, requestRules } from './validate.ts';
import { under } from './validate-compile.ts';

/**
 * Returns a decoded request that its handler may see; `at` is put before the paths of its fields.
 *
 * @throws RpcError INVALID_ARGUMENT for one that breaks rules, RESOURCE_EXHAUSTED for one that is too long
 */
export type Admit = (request: object, at?: string) => object;

/** Finds what breaks rules that the contract cannot say, because they need what the service knows. */
export type Check<Request> = (request: Request) => readonly Violation[];

const CHECK = Symbol('check');

/**
 * A handler whose requests also pass a check. It runs together with the rules of the contract, so that the caller is told of
 * everything at once; a field that breaks a rule of the contract is named for that alone.
 */
export function checked<Request, Handler extends (request: Request, context: never) => unknown>(
  check: Check<Request>,
  handler: Handler & ((request: Request, context: never) => unknown),
): Handler {
  return Object.assign(handler, { [CHECK]: check });
}

/** What decides about the requests of a method. Throws a TypeError for a method that no contract has. */
export function admission({ full, method }: MethodName, handler: object): Admit {
  const { validate } = requestRules(`/${full}`);
  const check = (handler as { [CHECK]?: Check<object> })[CHECK];
  return (request, at) => {
    if (request instanceof TooLong) throw tooLong(request, method);
    let violations = validate(request);
    if (check) {
      const fields = violations.map(({ field }) => field);
      violations = [...violations, ...check(request).filter(({ field }) => !fields.includes(field))];
    }
    if (violations.length > 0) throw invalidRequest(at === undefined ? violations : under(at, violations));
    return request;
  };
}

function tooLong({ bytes, maxBytes }: TooLong, method: string): RpcError {
  const message = `a request of ${bytes} bytes is too long: ${method} takes at most ${maxBytes}; send less at once`;
  return new RpcError(status.RESOURCE_EXHAUSTED, message, { reason: 'REQUEST_TOO_LARGE' });
}
