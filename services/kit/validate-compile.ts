import type { Violation } from './rpc-error.ts';
import type { Contracts, FieldRules, MessageFieldRules, SizeRules } from './validate-rules.ts';
import { shown } from './validate-shown.ts';
import {
  enumValidator,
  NONE,
  numberValidator,
  range,
  textValidator,
  type ValueValidator,
  validUtf8,
  violation,
} from './validate-value.ts';

/** Finds every field of a message that breaks a rule, in the order of the `.proto`; an empty list when there is none. */
export type Validator = (message: object) => readonly Violation[];

/**
 * Makes a validator for each message of the contracts, by its full name.
 *
 * Its violations are those that protovalidate finds in the same bytes, with two differences: a text that is not valid UTF-8 is
 * one (codec.ts marks it), and the elements after the most that a list may have are not looked at, which bounds the work.
 */
export function compileValidators({ messages }: Pick<Contracts, 'messages'>): ReadonlyMap<string, Validator> {
  const validators = new Map<string, Validator>();
  const ofMessage = (name: string): Validator => {
    const validator = validators.get(name);
    if (!validator) throw new TypeError(`the contracts have no rules for ${name}`);
    return validator;
  };
  for (const [name, fields] of Object.entries(messages)) {
    const checks = fields.map(rules => [rules.field, rules.key, validatorOf(rules, messages, ofMessage)] as const);
    validators.set(name, message => {
      let found = NONE;
      for (const [field, key, validate] of checks) {
        const violations = validate((message as Record<string, unknown>)[key]);
        if (violations.length > 0) found = [...found, ...under(field, violations)];
      }
      return found;
    });
  }
  return validators;
}

/** The violations of a field or an element, with its name before their paths. */
export function under(name: string, violations: readonly Violation[]): Violation[] {
  return violations.map(({ field, description }) => {
    const separator = field === '' || field.startsWith('[') ? '' : '.';
    return { field: name + separator + field, description };
  });
}

type OfMessage = (name: string) => Validator;

function validatorOf(rules: FieldRules, messages: Contracts['messages'], ofMessage: OfMessage): ValueValidator {
  const ofValue = validatorOfValue(rules, messages, ofMessage);
  if (rules.list) return listValidator(rules.list, ofValue);
  if (rules.map) return mapValidator(rules.map, ofValue);
  return rules.optional ? value => (value === undefined ? NONE : ofValue(value)) : ofValue;
}

function validatorOfValue(rules: FieldRules, messages: Contracts['messages'], ofMessage: OfMessage): ValueValidator {
  switch (rules.kind) {
    case 'text':
      return textValidator(rules);
    case 'number':
      return numberValidator(rules);
    case 'enum':
      return enumValidator(rules);
    case 'message':
      return messageValidator(rules, messages[rules.of]?.map(({ field }) => field) ?? [], ofMessage);
    case 'any':
      return () => NONE;
  }
}

function listValidator({ min = 0, max }: SizeRules, ofElement: ValueValidator): ValueValidator {
  const rule = `must have ${range(min || undefined, max)} elements, has `;
  return value => {
    const list = value as readonly unknown[];
    const { length } = list;
    const found = length < min || length > max ? violation(rule + length) : [];
    for (let index = 0; index < length && index < max; index++) {
      const violations = ofElement(list[index]);
      if (violations.length > 0) found.push(...under(`[${index}]`, violations));
    }
    return found;
  };
}

function mapValidator({ min = 0, max }: SizeRules, ofEntry: ValueValidator): ValueValidator {
  const rule = `must have ${range(min || undefined, max)} entries, has `;
  return value => {
    const entries = Object.entries(value as Readonly<Record<string, unknown>>);
    const { length } = entries;
    const found = length < min || length > max ? violation(rule + length) : [];
    for (const [key, entry] of entries.slice(0, max)) {
      const violations = [...validUtf8(key), ...ofEntry(entry)];
      if (violations.length > 0) found.push(...under(`[${shown(key.toWellFormed())}]`, violations));
    }
    return found;
  };
}

function messageValidator({ of, required = false }: MessageFieldRules, fields: string[], ofMessage: OfMessage): ValueValidator {
  const missing = violation(`must be given${fields.length > 0 ? `, with ${fields.join(', ')}` : ''}; it is missing`);
  let validate: Validator | undefined;
  return value => {
    if (value === undefined) return required ? missing : NONE;
    validate ??= ofMessage(of); // not before: a message may hold one of its own type
    return validate(value as object);
  };
}
