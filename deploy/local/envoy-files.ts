import { parse } from 'yaml';
import { type ConfigMap, type Deployment, type KubeObject, ofKind } from './manifest.ts';

/** A part of an Envoy configuration that is an object or a list. */
type Node = Readonly<Record<string, unknown>>;

/** The Envoy files that a Deployment's pods mount, each as it was parsed. */
export function envoyFiles(
  { spec }: Deployment,
  objects: readonly KubeObject[],
): { readonly name: string; readonly file: Node }[] {
  const mounted = new Set(spec.template.spec.volumes?.map(({ configMap }) => configMap?.name));
  return ofKind(objects, 'ConfigMap')
    .filter(({ metadata }) => mounted.has(metadata.name))
    .flatMap(filesOf);
}

function filesOf({ data = {} }: ConfigMap) {
  return Object.entries(data).flatMap(([name, text]) => {
    const file: unknown = /\.ya?ml$/.test(name) ? parse(text) : undefined;
    return isNode(file) ? [{ name, file }] : [];
  });
}

/**
 * How many inotify instances the Envoy of one pod takes: one for each file that it follows, and one for each folder that such a file
 * says to watch instead of itself.
 */
export function watchesOf(deployment: Deployment, objects: readonly KubeObject[]): number {
  const watched = new Set<string>();
  const follow = (file: string, node: Node) => {
    for (const [key, value] of Object.entries(node)) {
      if (!isNode(value)) continue;
      if (key === 'path_config_source') watched.add(String(value.path));
      else if (key === 'watched_directory') watched.add(`${file}: ${value.path}`);
      else follow(file, value);
    }
  };
  for (const { name, file } of envoyFiles(deployment, objects)) follow(name, file);
  return watched.size;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}
