import { readHttpBindings } from './http-bindings.ts';

/** By the full name of a service: what a path must match to lead to it, such as "/api/users/[^/]+/?", and the path's verbs. */
export type JsonPaths = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/**
 * Reads the paths that take JSON. The edge makes a route of each, so it can refuse every other path at once.
 *
 * @param descriptors a serialized google.protobuf.FileDescriptorSet
 * @throws an Error that names a path which two services share: the route of one would hide the other
 */
export function readJsonPaths(descriptors: Uint8Array): JsonPaths {
  const paths: Record<string, Record<string, string[]>> = {};
  for (const { method, verb, template } of readHttpBindings(descriptors)) {
    const service = method.parent.typeName;
    const path = `${template.replace(/\{[^}]*\}/g, '[^/]+')}/?`; // the transcoder ignores a slash at the end
    const other = Object.keys(paths).find(name => name !== service && paths[name]?.[path]);
    if (other) throw new Error(`${template}: ${other} and ${service} share this path; give each service paths of its own`);
    const own = paths[service] ?? {};
    paths[service] = { ...own, [path]: [...(own[path] ?? []), verb].sort() };
  }
  return paths;
}
