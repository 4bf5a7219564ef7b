import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createFileRegistry,
  type DescField,
  type DescMethod,
  fromBinary,
  getExtension,
  type Message,
} from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { repo } from './paths.ts';

/** The contracts as the edge has them: what the JSON paths of methods are, and what their messages hold. */
const descriptors: FileDescriptorSet = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(join(repo, 'charts/telltale/files/envoy/telltale.binpb')),
);
const registry = createFileRegistry(descriptors);

const methods: readonly DescMethod[] = [...registry]
  .filter(type => type.kind === 'service')
  .filter(({ typeName }) => typeName.startsWith('telltale.'))
  .flatMap(service => service.methods);

/** A JSON path that holds fields of its request. */
export interface Binding {
  /** "/api/users/{id}". */
  readonly template: string;
  /** The names of those fields, as in the `.proto` and as protobuf's JSON has them. */
  readonly held: readonly string[];
  /** The names of the others in the `.proto`, which come in the query. */
  readonly others: readonly string[];
}

/** Every JSON path that holds fields of its request. */
export const bindings: readonly Binding[] = methods.flatMap(method => {
  const template = getOf(method);
  const isHeld = ({ name }: DescField) => template.includes(`{${name}}`);
  const { fields } = method.input;
  const held = fields.filter(isHeld).flatMap(({ name, jsonName }) => [...new Set([name, jsonName])]);
  return held.length === 0 ? [] : [{ template, held, others: fields.filter(field => !isHeld(field)).map(({ name }) => name) }];
});

/** What (google.api.http) says after `get:`; empty when there is no such path. */
function getOf({ proto: { options } }: DescMethod): string {
  const http = registry.getExtension('google.api.http');
  if (options === undefined || http === undefined) return '';
  const { pattern } = getExtension(options, http) as Message & { pattern?: { case?: string; value?: unknown } };
  return pattern?.case === 'get' ? String(pattern.value) : '';
}
