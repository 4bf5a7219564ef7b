import { status } from '@grpc/grpc-js';
import * as contracts from '../../proto/gen/rules.ts';
import { RpcError, type Violation } from './rpc-error.ts';
import { firstOf } from './rpc-status.ts';
import { compileValidators, type Validator } from './validate-compile.ts';
import type { MethodRules } from './validate-rules.ts';

const validators = compileValidators(contracts);
const methods: Readonly<Record<string, MethodRules>> = contracts.methods;

/** The full name of a message that has rules. */
export type RuledMessage = keyof typeof contracts.messages;

/** Finds every field of a message (full name) that breaks a rule of its contract. */
export function violationsIn(name: RuledMessage, message: object): readonly Violation[] {
  return validatorOf(name)(message);
}

/** What the contract says of the requests of a method, by its path. Throws a TypeError for a path that no contract has. */
export function requestRules(path: string): { validate: Validator; maxBytes: number } {
  const rules = methods[path];
  if (!rules) throw new TypeError(`${path} is in no contract: run make generate`);
  return { validate: validatorOf(rules.request), maxBytes: rules.maxBytes };
}

function validatorOf(name: string): Validator {
  const validator = validators.get(name);
  if (!validator) throw new TypeError(`the contracts have no rules for ${name}`);
  return validator;
}

/** How many violations an answer lists at most. */
const LISTED = 20;

/** How long they may be together, in bytes: they stand in an answer twice, in its message and in its details, see rpc-status.ts. */
const LISTED_BYTES = 1250;

/** The INVALID_ARGUMENT, with reason INVALID_REQUEST and google.rpc.BadRequest, that lists the violations, the first 20 that fit. */
export function invalidRequest(violations: readonly Violation[]): RpcError {
  const listed = firstOf(violations.slice(0, LISTED), LISTED_BYTES);
  const more = violations.length > listed.length ? `; and ${violations.length - listed.length} more` : '';
  const message = listed.map(({ field, description }) => `${field}: ${description}`).join('; ') + more;
  return new RpcError(status.INVALID_ARGUMENT, message, { reason: 'INVALID_REQUEST', violations: listed });
}

/** A field that the contract requires: no handler sees a request without it, but its type allows that. */
export function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError('a field that the contract requires is missing');
  return value;
}
