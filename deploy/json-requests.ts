import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { type HttpBinding, readHttpBindings } from './http-bindings.ts';

/** What the edge takes as JSON: what charts/telltale/files/envoy/json.lua compares requests with. */
export interface JsonRequests {
  /** Every HTTP request that calls a method. */
  readonly bindings: readonly JsonBinding[];
  /** By the full name of a message: its fields by each name that protobuf's JSON has for them. */
  readonly messages: Readonly<Record<string, Readonly<Record<string, JsonField>>>>;
}

/** An HTTP request that calls a method. */
export interface JsonBinding {
  /** "GET" or "POST". */
  readonly verb: string;
  /** "/api/users/{id}". */
  readonly template: string;
  /** The full name of the method's request. */
  readonly message: string;
  /** The field of the request that the body is, "*" for the whole request; absent where there is no body. */
  readonly body?: string;
}

/** What a field holds. */
export interface JsonField {
  /** Its name in the contract. */
  readonly name: string;
  readonly list?: true;
  /** The type of its value, or of its elements: a message, by its full name, ... */
  readonly message?: string;
  /** ... or a scalar. */
  readonly scalar?: 'string' | 'int32' | 'int64';
}

/** The scalars that json.lua can check. */
const SCALARS: Partial<Record<ScalarType, JsonField['scalar']>> = {
  [ScalarType.STRING]: 'string',
  [ScalarType.INT32]: 'int32',
  [ScalarType.INT64]: 'int64',
};

/**
 * Reads what JSON requests may hold.
 *
 * @param descriptors a serialized google.protobuf.FileDescriptorSet
 * @throws an Error that names everything in the contracts that json.lua could not compare requests with
 */
export function readJsonRequests(descriptors: Uint8Array): JsonRequests {
  const read = readHttpBindings(descriptors);
  const messages: Record<string, Record<string, JsonField>> = {};
  const problems = [...read.flatMap(problemsAt), ...read.flatMap((binding, index) => clashesOf(binding, read.slice(0, index)))];

  function readMessage({ typeName, fields }: DescMessage): void {
    if (messages[typeName]) return;
    const read: Record<string, JsonField> = {};
    messages[typeName] = read;
    for (const field of fields) {
      problems.push(...problemsOf(field));
      for (const key of new Set([field.name, field.jsonName])) read[key] = jsonField(field);
      if (field.message) readMessage(field.message);
    }
  }

  for (const { method } of read) readMessage(method.input);
  if (problems.length > 0) throw new Error(`what the edge could not compare JSON with:\n${problems.join('\n')}`);
  const bindings = read.map(({ verb, template, method, body }) => ({
    verb,
    template,
    message: method.input.typeName,
    ...(body !== '' && { body }),
  }));
  return { bindings, messages };
}

function jsonField({ name, fieldKind, message, scalar }: DescField): JsonField {
  const list = fieldKind === 'list' && { list: true as const };
  const type = scalar !== undefined && SCALARS[scalar];
  return { name, ...list, ...(message && { message: message.typeName }), ...(type && { scalar: type }) };
}

/** The transcoder reads a request whatever the contract says of it, so none may be left that json.lua does not know. */
function problemsAt({ verb, template, body, method }: HttpBinding): string[] {
  const problems: string[] = [];
  const hasForm = /^\/api(\/[a-z]+|\/\{[a-z_]+\})+$/.test(template);
  const hasVerb = verb === 'GET' ? body === '' : verb === 'POST' && body !== '' && !template.includes('{');
  if (!hasForm || !hasVerb) {
    const rule = 'it must be a GET without a body, or a POST with one to a path without {} and :, and begin with /api/';
    problems.push(`${verb} ${template}: ${rule}, of parts like "users" and "{id}"`);
  }
  const bodyField = method.input.fields.find(({ name }) => name === body);
  if (body !== '' && body !== '*' && bodyField?.fieldKind !== 'message') {
    problems.push(`${verb} ${template}: its body must be a message; write body: "*"`);
  }
  const inQuery = method.input.fields.filter(({ name }) => ![name, '*'].includes(body) && !template.includes(`{${name}}`));
  const unfit = inQuery.filter(({ fieldKind }) => fieldKind !== 'scalar').map(({ name }) => name);
  return unfit.length === 0 ? problems : [...problems, `${verb} ${template}: a query must hold scalars only, not ${unfit}`];
}

/** json.lua takes the first binding that a path fits; there must be no other. */
function clashesOf({ verb, template }: HttpBinding, others: readonly HttpBinding[]): string[] {
  const parts = template.split('/');
  const clashing = others.find(other => {
    const theirs = other.template.split('/');
    const fits = (part: string, at: number) => part === theirs[at] || part.startsWith('{') || theirs[at]?.startsWith('{');
    return other.verb === verb && theirs.length === parts.length && parts.every(fits);
  });
  return clashing ? [`${verb} ${template}: a path can fit this and ${clashing.template}; choose another`] : [];
}

function problemsOf(field: DescField): string[] {
  if (field.fieldKind === 'map') return [`${field}: a map has keys that no contract knows; use a list of messages`];
  if (field.oneof) return [`${field}: that one of several is there is not compared; use a message for each`];
  const isOfGoogle = field.message?.typeName.startsWith('google.protobuf.');
  if (isOfGoogle) return [`${field}: types of google.protobuf have a JSON form of their own; use a scalar`];
  const isKnown = field.message !== undefined || (field.scalar !== undefined && SCALARS[field.scalar] !== undefined);
  return isKnown ? [] : [`${field}: json.lua cannot check a value of this type; use string, int32 or int64, or teach it`];
}
