import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ConfigMap, Container, PodSpec, SecretVolume, Volume } from './manifest.ts';
import type { RunPaths } from './paths.ts';
import { podRewrite, type Rewrite } from './rewrite.ts';
import { RunError } from './run-error.ts';

export interface VolumeSources {
  readonly paths: RunPaths;
  readonly configMaps: ReadonlyMap<string, ConfigMap>;
  /** ConfigMaps that change while the pods run: name to the folder that holds their files. */
  readonly live: ReadonlyMap<string, string>;
  /** Secrets, whose values stay out of all other files: name to the folder that holds their files, laid out as the kubelet does. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** The folder of `pod` below the run's folder. */
export const podDir = (paths: RunPaths, pod: string): string => join(paths.pods, pod);

/**
 * Makes the folders that stand for a container's mounts and writes its config files, rewritten for the pod.
 * Returns the rewrite that also holds for the container's arguments and environment.
 */
export function mountVolumes(
  spec: PodSpec,
  container: Container,
  pod: { name: string; address: string },
  sources: VolumeSources,
): Rewrite {
  const volumes = new Map(spec.volumes?.map(volume => [volume.name, volume]));
  const mounts = new Map<string, string>();
  const files: { volume: Volume; dir: string }[] = [];
  for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
    const volume = volumes.get(name);
    if (volume === undefined) throw new RunError(`container ${container.name} mounts ${name}, which is no volume of its pod`);
    const dir = folderOf(volume, join(podDir(sources.paths, pod.name), container.name, name), pod.name, sources);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    mounts.set(mountPath, subPath === undefined ? dir : join(dir, subPath));
    files.push({ volume, dir });
  }
  const rewrite = podRewrite(pod.address, mounts);
  for (const { volume, dir } of files) writeConfig(volume, dir, rewrite, sources);
  return rewrite;
}

function folderOf(volume: Volume, own: string, pod: string, { paths, live, secrets }: VolumeSources): string {
  if (volume.configMap !== undefined) return live.get(volume.configMap.name) ?? own;
  if (volume.secret !== undefined) return secretFolder(volume.secret, secrets);
  if (volume.persistentVolumeClaim !== undefined) return join(paths.volumes, volume.persistentVolumeClaim.claimName);
  if (volume.emptyDir !== undefined) return join(podDir(paths, pod), 'volumes', volume.name);
  const kind = Object.keys(volume).find(key => key !== 'name');
  throw new RunError(`volume ${volume.name}: the local run has no volumes of kind ${kind}`);
}

/** The folder of a Secret, which all pods share; it stands for the mount as it is, so a pod can neither choose nor rename its keys. */
function secretFolder({ secretName, items = [] }: SecretVolume, secrets: VolumeSources['secrets']): string {
  const folder = secrets.get(secretName);
  if (folder === undefined) throw new RunError(`the local run has no Secret ${secretName}, which a pod mounts`);
  for (const { key, path } of items) {
    if (path !== key) throw new RunError(`Secret ${secretName}: the local run cannot mount its key ${key} as ${path}`);
    if (!existsSync(join(folder, key))) throw new RunError(`Secret ${secretName} has no key ${key}, which a pod mounts`);
  }
  return folder;
}

function writeConfig({ configMap: source }: Volume, dir: string, rewrite: Rewrite, { configMaps, live }: VolumeSources): void {
  if (source === undefined || live.has(source.name)) return;
  const configMap = configMaps.get(source.name);
  if (configMap === undefined) {
    if (source.optional) return;
    throw new RunError(`the chart has no ConfigMap ${source.name}, which a pod mounts`);
  }
  const content = new Map<string, string | Buffer>([
    ...Object.entries(configMap.data ?? {}).map(([key, text]) => [key, rewrite(text)] as const),
    ...Object.entries(configMap.binaryData ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const),
  ]);
  for (const { key, path } of source.items ?? [...content.keys()].map(key => ({ key, path: key }))) {
    const data = content.get(key);
    if (data === undefined) throw new RunError(`ConfigMap ${source.name} has no key ${key}, which a pod mounts`);
    mkdirSync(dirname(join(dir, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, path), data, { mode: 0o600 });
  }
}
