import {
  createFileRegistry,
  type DescField,
  type DescMessage,
  type DescMethod,
  type FileRegistry,
  fromBinary,
  getExtension,
  ScalarType,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Contracts, FieldRules, MethodRules } from '../services/kit/validate-rules.ts';
import { type Annotation, isAnnotated, readAnnotation } from './request-annotation.ts';
import { kindOf, readValue } from './request-value.ts';

/**
 * Reads what the contracts say of requests: the annotations of proto/buf/validate/validate.proto and of telltale.rules.v1.
 *
 * @param descriptors a serialized google.protobuf.FileDescriptorSet
 * @throws an Error that names everything in the contracts that services/kit/validate.ts would not check
 */
export function readContracts(descriptors: Uint8Array): Contracts {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  const methods: Record<string, MethodRules> = {};
  const reading: Reading = { registry, messages: new Map(), problems: [] };
  for (const type of registry) {
    if (type.kind === 'message' && type.fields.some(field => isAnnotated(field, registry))) readMessage(type, reading);
    if (type.kind !== 'service' || !isOurs(type.file.proto.package)) continue;
    for (const method of type.methods) {
      methods[`/${type.typeName}/${method.name}`] = { request: method.input.typeName, maxBytes: maxBytesOf(method, reading) };
      readMessage(method.input, reading);
    }
  }
  const { problems, messages } = reading;
  if (problems.length > 0) throw new Error(`what the contracts say would not be checked:\n${problems.join('\n')}`);
  return { methods: sorted(Object.entries(methods)), messages: sorted([...messages]) };
}

interface Reading {
  readonly registry: FileRegistry;
  readonly messages: Map<string, FieldRules[]>;
  readonly problems: string[];
}

const isOurs = (packageName: string) => packageName.startsWith('telltale.');

function sorted<Value>(entries: [string, Value][]): Record<string, Value> {
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function maxBytesOf(method: DescMethod, { registry, problems }: Reading): number {
  const option = registry.getExtension('telltale.rules.v1.max_request_bytes');
  const { options } = method.proto;
  const maxBytes = option && options ? Number(getExtension(options, option)) : 0;
  if (maxBytes === 0) problems.push(`${method}: needs the option (telltale.rules.v1.max_request_bytes), more than 0`);
  return maxBytes;
}

function readMessage(message: DescMessage, reading: Reading): void {
  if (reading.messages.has(message.typeName)) return;
  const rules: FieldRules[] = [];
  reading.messages.set(message.typeName, rules); // before its fields: one of them may be of the same type
  for (const field of message.fields) {
    try {
      const read = readField(field, readAnnotation(field, reading.registry));
      if (read) rules.push(read);
      if (field.message) readMessage(field.message, reading);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      reading.problems.push(`${field}: ${error.message}`);
    }
  }
}

function readField(field: DescField, annotation: Annotation): FieldRules | undefined {
  const { kind, rules } = annotation;
  if (field.oneof) throw new TypeError('the validator knows no oneof');
  if (field.fieldKind === 'map' && field.mapKey !== ScalarType.STRING) {
    throw new TypeError('the validator knows no map whose keys are not texts');
  }
  if (field.message && !isOurs(field.message.file.proto.package)) {
    throw new TypeError(`the validator does not know ${field.message.typeName}`);
  }
  if (kind && kind !== kindOf(field)) throw new TypeError(`the rules of ${kind} are not for a field of this type`);
  if (annotation.required && field.fieldKind !== 'message') throw new TypeError('only a message can be required');
  const named = { field: field.name, key: field.localName };
  if (field.fieldKind !== 'list' && field.fieldKind !== 'map') {
    const value = readValue(field, annotation);
    return value && { ...named, ...(field.proto.proto3Optional && { optional: true }), ...value };
  }
  const [of, size, min, max] =
    field.fieldKind === 'list'
      ? (['list', 'repeated.max_items', rules.min_items, rules.max_items] as const)
      : (['map', 'map.max_pairs', rules.min_pairs, rules.max_pairs] as const);
  if (max === undefined) throw new TypeError(`a ${of} in a request needs ${size}`);
  const value = readValue(field, { required: false, rules: {}, patterns: [] }) ?? { kind: 'any' };
  return { ...named, [of]: { ...(min !== undefined && { min: Number(min) }), max: Number(max) }, ...value };
}
