import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { type HttpBinding, readHttpBindings } from './http-bindings.ts';

/** What the edge takes as JSON: what charts/telltale/files/envoy/json.lua compares bodies with. */
export interface JsonBodies {
  /** By the path that a body is posted to: which field of the request it is ("" for the whole), and which message. */
  readonly bodies: Readonly<Record<string, { readonly name: string; readonly message: string }>>;
  /** By the full name of a message: its fields by each name that protobuf's JSON has for them. */
  readonly messages: Readonly<Record<string, Readonly<Record<string, JsonField>>>>;
}

/** What a field holds. */
export interface JsonField {
  /** Its name in the contract. */
  readonly name: string;
  readonly list?: true;
  /** The full name of its message, or of that of its elements; absent for scalars. */
  readonly message?: string;
}

/**
 * Reads what JSON bodies may hold.
 *
 * @param descriptors a serialized google.protobuf.FileDescriptorSet
 * @throws an Error that names everything in the contracts that json.lua could not compare bodies with
 */
export function readJsonBodies(descriptors: Uint8Array): JsonBodies {
  const bindings = readHttpBindings(descriptors);
  const messages: Record<string, Record<string, JsonField>> = {};
  const problems: string[] = [];

  function readMessage({ typeName, fields }: DescMessage): void {
    if (messages[typeName]) return;
    const read: Record<string, JsonField> = {};
    messages[typeName] = read;
    for (const field of fields) {
      problems.push(...problemsOf(field));
      const { name, jsonName, message } = field;
      const list = field.fieldKind === 'list' && { list: true as const };
      const kind: JsonField = { name, ...list, ...(message && { message: message.typeName }) };
      for (const key of new Set([name, jsonName])) read[key] = kind;
      if (message) readMessage(message);
    }
  }

  problems.push(...bindings.flatMap(problemsAt));
  const withBody = bindings.filter(({ body }) => body !== '');
  const bodies = withBody.map(({ method, template, body }) => {
    const field = method.input.fields.find(({ name }) => name === body);
    const message = body === '*' ? method.input : field?.message;
    if (message) readMessage(message);
    else problems.push(`${template}: its body must be a message; write body: "*"`);
    return [template, { name: field?.name ?? '', message: message?.typeName ?? '' }] as const;
  });
  if (problems.length > 0) throw new Error(`what the edge could not compare JSON with:\n${problems.join('\n')}`);
  return { bodies: Object.fromEntries(bodies), messages };
}

/** The transcoder reads a body whatever the contract says of it, so none may be left that json.lua does not know. */
function problemsAt({ verb, template, body }: HttpBinding): string[] {
  const isGet = verb === 'GET' && body === '';
  const isPost = verb === 'POST' && body !== '' && !/[{:]/.test(template);
  if (template.startsWith('/api/') && (isGet || isPost)) return [];
  const rule = 'it must be a GET without a body, or a POST with one to a path without {} and :, and begin with /api/';
  return [`${verb} ${template}: ${rule}`];
}

function problemsOf(field: DescField): string[] {
  if (field.fieldKind === 'map') return [`${field}: a map has keys that no contract knows; use a list of messages`];
  if (field.oneof) return [`${field}: that one of several is there is not compared; use a message for each`];
  const isOfGoogle = field.message?.typeName.startsWith('google.protobuf.');
  return isOfGoogle ? [`${field}: types of google.protobuf have a JSON form of their own; use a scalar`] : [];
}
