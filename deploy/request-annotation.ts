import {
  type DescExtension,
  type DescField,
  type FileRegistry,
  getExtension,
  hasExtension,
  type Message,
} from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';

/** What `(buf.validate.field)` says of a field. */
export interface Annotation {
  readonly required: boolean;
  /** Whose rules they are, the field's name in buf.validate.FieldRules: "int32". */
  readonly kind?: string;
  /** Those rules: `gte`, `max_len`, by their names. */
  readonly rules: Readonly<Record<string, unknown>>;
  /** What the rules with names of their own demand of a text. */
  readonly patterns: readonly Pattern[];
}

/** A regular expression, and what it demands in words: "must be …". */
export interface Pattern {
  readonly matches: RegExp;
  readonly says: string;
}

/** The rules that services/kit/validate.ts knows, by their names in any kind. */
const KNOWN = ['gte', 'lte', 'min_len', 'max_len', 'defined_only', 'min_items', 'max_items', 'min_pairs', 'max_pairs'];

/** Whether a field has an annotation. */
export function isAnnotated(field: DescField, registry: FileRegistry): boolean {
  return optionOf(field, 'buf.validate.field', registry) !== undefined;
}

/** Reads the annotation of a field, if it has one. Throws a TypeError for a rule that services/kit/validate.ts does not know. */
export function readAnnotation(field: DescField, registry: FileRegistry): Annotation {
  const annotation = optionOf(field, 'buf.validate.field', registry);
  const nothing: Annotation = { required: false, rules: {}, patterns: [] };
  if (!annotation) return nothing;
  const [kind] = annotation.fields.filter(({ oneof }) => oneof?.name === 'type').filter(each => annotation.isSet(each));
  const others = annotation.fields.filter(each => annotation.isSet(each) && each !== kind && each.name !== 'required');
  const required = annotation.get(named(annotation, 'required')) === true;
  const rules = kind && (annotation.get(kind) as ReflectMessage);
  const set = rules?.fields.filter(rule => rules.isSet(rule)) ?? [];
  const [unknown] = [...others, ...set.filter(({ name }) => !KNOWN.includes(name))];
  if (unknown) throw new TypeError(`the validator does not know the rule ${unknown.name}`);
  if (!rules) return { ...nothing, required };
  const values = Object.fromEntries(set.map(rule => [rule.name, rules.get(rule)]));
  refuseEmptyRange(values);
  return {
    required,
    kind: kind.name,
    rules: values,
    patterns: (rules.message.$unknown ?? []).map(({ no }) => patternOf(registry.getExtensionFor(rules.desc, no), registry)),
  };
}

/** For protovalidate a `gte` above `lte` means everything but what is between them, which is here but a slip. */
function refuseEmptyRange(rules: Record<string, unknown>): void {
  for (const [from, to] of [
    ['gte', 'lte'],
    ['min_len', 'max_len'],
    ['min_items', 'max_items'],
    ['min_pairs', 'max_pairs'],
  ] as const) {
    const [least, most] = [rules[from], rules[to]];
    if (least === undefined || most === undefined || Number(least) <= Number(most)) continue;
    throw new TypeError(`${from} ${least} is more than ${to} ${most}`);
  }
}

function optionOf(field: { proto: DescField['proto'] }, name: string, registry: FileRegistry): ReflectMessage | undefined {
  const extension = registry.getExtension(name);
  const { options } = field.proto;
  if (!extension?.message || !options || !hasExtension(options, extension)) return undefined;
  return reflect(extension.message, getExtension(options, extension) as Message, false);
}

function named({ fields }: ReflectMessage, name: string): DescField {
  const field = fields.find(each => each.name === name);
  if (!field) throw new TypeError(`validate.proto has no ${name}`);
  return field;
}

/** The pattern of an extension of StringRules, whose one condition must be `this.matches('…')`: no other CEL is understood. */
function patternOf(extension: DescExtension | undefined, registry: FileRegistry): Pattern {
  const rule = extension && optionOf(extension, 'buf.validate.predefined', registry);
  const conditions = rule ? [...(rule.get(named(rule, 'cel')) as Iterable<ReflectMessage>)] : [];
  const [condition] = conditions;
  if (!extension || !condition || conditions.length > 1) {
    throw new TypeError('a rule with a name of its own needs one condition in CEL');
  }
  const read = (name: string) => String(condition.get(named(condition, name)));
  const [, literal] = /^this\.matches\('((?:[^'\\]|\\\\)+)'\)$/.exec(read('expression')) ?? [];
  if (literal === undefined) throw new TypeError(`${extension.name}: of CEL only this.matches('…') is known`);
  // with the flag u, as CEL counts characters; RE2 knows nothing that JavaScript does not, of what the tests compare
  return { matches: new RegExp(literal.replaceAll('\\\\', '\\'), 'u'), says: read('message') };
}
