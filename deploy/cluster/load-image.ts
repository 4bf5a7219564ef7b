import { type Cluster, type Maker, makerOf } from '../../services/lab/cli/local-cluster.ts';
import { runCommand } from '../local/run-command.ts';
import { RunError } from '../local/run-error.ts';

/** How each kind of cluster gets an image; those that are absent share Docker's images. */
const loaders: { readonly [maker in Maker]?: (image: string, context: string) => [program: string, ...args: string[]] } = {
  kind: (image, context) => ['kind', 'load', 'docker-image', image, '--name', context.replace(/^kind-/, '')],
  k3d: (image, context) => ['k3d', 'image', 'import', image, '--cluster', context.replace(/^k3d-/, '')],
  minikube: image => ['minikube', 'image', 'load', image],
};

/** The command that brings an image to the nodes of a cluster; undefined when they share Docker's. Throws a `RunError` for another cluster. */
export function loadCommand(image: string, cluster: Cluster): [program: string, ...args: string[]] | undefined {
  const maker = makerOf(cluster);
  if (maker === undefined || maker === 'MicroK8s') {
    const push = 'push the image to a registry, and install the chart with helm and image.repository';
    throw new RunError(`no way is known to bring an image to the nodes of "${cluster.context}": ${push}`);
  }
  return loaders[maker]?.(image, cluster.context);
}

/**
 * Brings an image of Docker's to the nodes of a cluster, unless it is there, and returns the tag that it has there: its own tag and
 * the start of its id. No other image has had that, so that the pods of an earlier image are replaced when it is installed, which
 * they are not when only the image behind a tag has changed. Throws a `RunError` when Docker has no such image.
 */
export async function loadImage(image: string, cluster: Cluster): Promise<string> {
  const id = await runCommand('docker', ['image', 'inspect', '--format', '{{.Id}}', image]).catch(() => undefined);
  if (id === undefined) throw new RunError(`Docker has no image ${image}: run make images`);
  const unique = `${image}-${id.replace('sha256:', '').slice(0, 12)}`;
  const command = loadCommand(unique, cluster);
  await runCommand('docker', ['tag', image, unique]);
  if (command !== undefined) {
    const [program, ...args] = command;
    const output = await runCommand(program, args);
    await runCommand('docker', ['image', 'rm', '--no-prune', unique]); // the tag only: the nodes have it now
    if (output === undefined) throw new RunError(`${program} is missing, which made "${cluster.context}"`);
  }
  return unique.replace(/^.*:/, '');
}
