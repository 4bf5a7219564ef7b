import type { Cluster } from '../../services/lab/cli/local-cluster.ts';
import { runCommand } from '../local/run-command.ts';
import { RunError } from '../local/run-error.ts';

/** The programs that work on a cluster: how to see that one is there, and where to get it. */
const programs = {
  docker: { probe: ['version', '--format', '{{.Server.Version}}'], help: 'https://docs.docker.com/engine/install/' },
  helm: { probe: ['version', '--short'], help: 'Helm 3.19 or later: https://helm.sh/docs/intro/install/' },
  kind: { probe: ['version'], help: 'https://kind.sigs.k8s.io/docs/user/quick-start/#installation' },
  kubectl: { probe: ['version', '--client'], help: 'https://kubernetes.io/docs/tasks/tools/' },
  tilt: { probe: ['version'], help: 'https://docs.tilt.dev/install.html' },
};

/** A program that works on a cluster. */
export type ProgramName = keyof typeof programs;

/** Whether this is the name of one of the programs. */
export const isProgramName = (name: string): name is ProgramName => Object.hasOwn(programs, name);

/** Does nothing when the program is there and works; else throws a `RunError` that says where to get it, or what it said. */
export async function requireProgram(name: ProgramName): Promise<void> {
  const { probe, help } = programs[name];
  if ((await runCommand(name, probe, { timeoutMs: 60_000 })) === undefined) throw new RunError(`${name} is missing: ${help}`);
}

/** The cluster that kubectl points at. Throws a `RunError` when it points at none. */
export async function currentCluster(): Promise<Cluster> {
  await requireProgram('kubectl');
  const text = await runCommand('kubectl', ['config', 'view', '--minify', '-o', 'json'], { timeoutMs: 60_000 }).catch(
    () => '{}',
  );
  const config = JSON.parse(text ?? '{}') as { 'current-context'?: string; clusters?: { cluster: { server?: string } }[] };
  const [context, server] = [config['current-context'], config.clusters?.[0]?.cluster.server];
  if (!context || !server)
    throw new RunError(
      'kubectl points at no cluster: make one with `make cluster`, or choose one with `kubectl config use-context`',
    );
  return { context, server };
}
