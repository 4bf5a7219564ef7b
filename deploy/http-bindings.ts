import {
  createFileRegistry,
  type DescMethod,
  type FileRegistry,
  fromBinary,
  getExtension,
  hasExtension,
  type Message,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** By what HTTP request a method is called, as google.api.http says it. */
export interface HttpBinding {
  readonly method: DescMethod;
  /** "GET"; of a `custom` rule its kind. */
  readonly verb: string;
  /** "/api/users/{id}". */
  readonly template: string;
  /** The field of the request that the body is, "*" when it is the whole request; empty when there is no body. */
  readonly body: string;
}

/** A google.api.HttpRule, as it is read without code that is generated for it. */
type HttpRule = Message & {
  readonly pattern: { readonly case?: string; readonly value: string | { readonly kind: string; readonly path: string } };
  readonly body: string;
  readonly additionalBindings: readonly HttpRule[];
};

/** Every HTTP request that calls a method of the contracts. `descriptors` is a serialized google.protobuf.FileDescriptorSet. */
export function readHttpBindings(descriptors: Uint8Array): HttpBinding[] {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  const services = [...registry].filter(type => type.kind === 'service');
  return services.flatMap(({ methods }) => methods).flatMap(method => bindingsOf(method, registry));
}

function bindingsOf(method: DescMethod, registry: FileRegistry): HttpBinding[] {
  const extension = registry.getExtension('google.api.http');
  const { options } = method.proto;
  if (!extension || !options || !hasExtension(options, extension)) return [];
  const first = getExtension(options, extension) as HttpRule;
  return [first, ...first.additionalBindings].map(({ pattern, body }) => {
    const { kind, path } = typeof pattern.value === 'string' ? { kind: pattern.case, path: pattern.value } : pattern.value;
    return { method, verb: String(kind).toUpperCase(), template: path, body };
  });
}
