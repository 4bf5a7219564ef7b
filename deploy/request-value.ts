import { type DescField, ScalarType } from '@bufbuild/protobuf';
import type { EnumRules, MessageFieldRules, NumberRules, TextRules } from '../services/kit/validate-rules.ts';
import type { Annotation } from './request-annotation.ts';

/** The kind of rules of buf.validate.FieldRules that is for a field: "int32", "repeated"; undefined when there is none for it. */
export function kindOf(field: DescField): string | undefined {
  if (field.fieldKind === 'list') return 'repeated';
  if (field.fieldKind === 'map') return 'map';
  if (field.fieldKind === 'enum') return 'enum';
  return field.fieldKind === 'scalar' ? ScalarType[field.scalar]?.toLowerCase() : undefined;
}

/** The rules of a field's value, or of an element or entry when it is a list or a map; undefined when it has none. */
export function readValue(
  field: DescField,
  { required, rules, patterns }: Annotation,
): TextRules | NumberRules | EnumRules | MessageFieldRules | undefined {
  if (field.message) return { kind: 'message', of: field.message.typeName, ...(required && { required }) };
  if (field.enum) {
    const values = Object.fromEntries(field.enum.values.map(({ number, name }) => [number, name]));
    return rules.defined_only === true ? { kind: 'enum', values } : undefined;
  }
  if (field.scalar === ScalarType.STRING) {
    const { min_len: min, max_len: max } = rules;
    return {
      kind: 'text',
      ...(min !== undefined && { min: Number(min) }),
      ...(max !== undefined && { max: Number(max) }),
      ...(patterns.length > 0 && { patterns }),
    };
  }
  const { gte, lte } = rules as Pick<NumberRules, 'gte' | 'lte'>;
  if (gte === undefined && lte === undefined) return undefined;
  return { kind: 'number', ...(gte !== undefined && { gte }), ...(lte !== undefined && { lte }) };
}
