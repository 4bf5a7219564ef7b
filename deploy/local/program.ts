import { join } from 'node:path';
import type { Program } from './child-process.ts';
import { type Container, type EnvVar, namespace } from './manifest.ts';
import { repo } from './paths.ts';
import { expandVariables, type Rewrite } from './rewrite.ts';
import { RunError } from './run-error.ts';

/** What a container is run with on this machine. */
export interface Runtimes {
  /** The Envoy program. */
  readonly envoy: string;
}

/** The pod of a container, as far as its program depends on it. */
export interface ProgramPod {
  name: string;
  address: string;
  /** The control API's socket, for a pod that may call the Kubernetes API. */
  control?: string;
}

/** Variables of this process that a container's process needs as well: a container has its own, but the same machine. */
const inherited = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'];

/** Where Node keeps what it has made of the sources, for fast starts; shared by all runs. */
const compileCache = join(repo, '.run', 'compile-cache');

/**
 * The program that stands for a container: Envoy for Envoy's image, this Node for the repository's own image, which is the repository itself.
 * Throws a `RunError` for what a process cannot stand for.
 */
export function programOf(container: Container, pod: ProgramPod, rewrite: Rewrite, runtimes: Runtimes): Program {
  refuseUnsupported(container);
  const variables = environmentOf(container.env ?? [], pod, rewrite);
  const text = (value: string) => rewrite(expandVariables(value, variables));
  const command = container.command?.map(text) ?? [];
  const args = container.args?.map(text) ?? [];
  const base = Object.fromEntries(
    inherited.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const program = { env: { ...base, ...variables }, cwd: repo };
  if (/(^|\/)envoyproxy\/envoy([:@-]|$)/.test(container.image)) {
    // Hot restart shares memory between the Envoys of a machine; pods share none.
    const alone = args.includes('--disable-hot-restart') ? [] : ['--disable-hot-restart'];
    return { ...program, file: runtimes.envoy, args: [...command.slice(1), ...args, ...alone] };
  }
  if (/(^|\/)telltale([:@]|$)/.test(container.image) && (command[0] === 'node' || command[0] === process.execPath)) {
    const env = { NODE_COMPILE_CACHE: compileCache, ...program.env };
    return { ...program, env, file: process.execPath, args: [...command.slice(1), ...args] };
  }
  throw new RunError(
    `container ${container.name}: the local run has no program for image ${container.image}, command ${command.join(' ')}`,
  );
}

function environmentOf(env: readonly EnvVar[], pod: ProgramPod, rewrite: Rewrite): Record<string, string> {
  const fields: Record<string, string> = {
    'metadata.name': pod.name,
    'metadata.namespace': namespace,
    'status.podIP': pod.address,
    'status.hostIP': pod.address,
  };
  const variables: Record<string, string> = pod.control === undefined ? {} : { KUBERNETES_API_SOCKET: pod.control };
  for (const { name, value, valueFrom } of env) {
    const field = valueFrom?.fieldRef === undefined ? undefined : fields[valueFrom.fieldRef.fieldPath];
    if (valueFrom !== undefined && field === undefined) {
      throw new RunError(`variable ${name}: the local run cannot take its value from ${JSON.stringify(valueFrom)}`);
    }
    variables[name] = field ?? rewrite(expandVariables(value ?? '', variables));
  }
  return variables;
}

function refuseUnsupported({ name, lifecycle, envFrom }: Container): void {
  const { sleep, httpGet } = lifecycle?.preStop ?? {};
  const hooks = lifecycle && (lifecycle.postStart !== undefined || (sleep ?? httpGet) === undefined);
  if (hooks) throw new RunError(`container ${name}: the local run has no lifecycle hook but preStop sleep and httpGet`);
  if (envFrom !== undefined) throw new RunError(`container ${name}: the local run has no envFrom`);
}
