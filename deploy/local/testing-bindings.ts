import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFileRegistry, type DescMethod, fromBinary, getExtension, type Message } from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { repo } from './paths.ts';

/** The contracts as the edge has them: what the JSON paths of methods are, and what their messages hold. */
const descriptors: FileDescriptorSet = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(join(repo, 'charts/telltale/files/envoy/telltale.binpb')),
);
const registry = createFileRegistry(descriptors);

/** Every method of every service of the mesh. */
export const methods: readonly DescMethod[] = [...registry]
  .filter(type => type.kind === 'service')
  .filter(({ typeName }) => typeName.startsWith('telltale.'))
  .flatMap(service => service.methods);

/** A field of a request that its JSON path holds. */
export interface Binding {
  /** "/api/users/{id}". */
  readonly template: string;
  /** The field's names, as in the `.proto` and as protobuf's JSON has it. */
  readonly names: readonly string[];
}

/** Every field of a request that a JSON path holds. */
export const bindings: readonly Binding[] = methods.flatMap(method => {
  const template = getOf(method);
  return [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => {
    const field = method.input.fields.find(each => each.name === name);
    return { template, names: [...new Set([field?.name ?? '', field?.jsonName ?? ''])] };
  });
});

/** What (google.api.http) says after `get:`; empty when there is no such path. */
function getOf({ proto: { options } }: DescMethod): string {
  const http = registry.getExtension('google.api.http');
  if (options === undefined || http === undefined) return '';
  const { pattern } = getExtension(options, http) as Message & { pattern?: { case?: string; value?: unknown } };
  return pattern?.case === 'get' ? String(pattern.value) : '';
}
