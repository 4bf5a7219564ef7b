import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { repo } from '../local/paths.ts';
import { locatePython } from '../local/python.ts';
import { locateTool } from '../local/tools.ts';

/** A port of this machine that leads to one of a pod. */
export interface PortForward {
  readonly local_port: number;
  readonly container_port: number;
}

/** What Tilt shows of a workload of the cluster, by the parameters of `k8s_resource`. */
export interface Resource {
  readonly workload: string;
  readonly labels?: readonly string[];
  readonly resource_deps?: readonly string[];
  readonly trigger_mode?: string;
  readonly pod_readiness?: string;
  readonly port_forwards?: readonly PortForward[];
  readonly links?: readonly { readonly url: string; readonly name: string }[];
}

/** A step of a live update: files that are copied, or files that need a new image. */
export type LiveUpdateStep =
  | { readonly function: 'sync'; readonly local_path: string; readonly remote_path: string }
  | { readonly function: 'fall_back_on'; readonly files: readonly string[] };

/** An image, by the parameters of `docker_build`. */
export interface Build {
  readonly ref: string;
  readonly context: string;
  readonly dockerfile: string;
  readonly target: string;
  readonly only: readonly string[];
  readonly live_update: readonly LiveUpdateStep[];
}

/** A command of this machine, by the parameters of `local_resource`. */
export interface LocalResource {
  readonly name: string;
  readonly cmd: readonly string[];
  readonly auto_init?: boolean;
  readonly trigger_mode?: string;
}

/** A container, as far as a Tiltfile concerns it. */
export interface Container {
  name: string;
  image: string;
  command?: string[];
  resources?: { requests?: object };
  env?: { name: string; value?: string }[];
  ports?: { containerPort: number }[];
  securityContext?: Record<string, unknown>;
  livenessProbe?: object;
}

/** A pod, as far as a Tiltfile concerns it. */
export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  volumes?: { name: string; secret?: { secretName: string } }[];
}

/** An object of Kubernetes, as far as a Tiltfile concerns it. */
export interface KubeObject {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  spec?: { replicas?: number; template?: { spec: PodSpec } };
}

/** What a Tiltfile has asked Tilt for. */
export interface Tiltfile {
  readonly builds: readonly Build[];
  readonly resources: readonly Resource[];
  readonly locals: readonly LocalResource[];
  readonly objects: readonly KubeObject[];
  /** The contexts that it has allowed. */
  readonly contexts: readonly string[];
}

type Call =
  | ({ function: 'docker_build' } & Build)
  | ({ function: 'k8s_resource' } & Resource)
  | ({ function: 'local_resource' } & LocalResource)
  | { function: 'k8s_yaml'; objects: KubeObject[] }
  | { function: 'allow_k8s_contexts'; contexts: string }
  | { function: 'version_settings' | 'ci_settings' };

/** The project's own Tiltfile. */
export const readTiltfile = (): string => readFileSync(join(repo, 'Tiltfile'), 'utf8');

/**
 * Evaluates a Tiltfile, without Tilt and without a cluster; the chart is really rendered. `env` is what its `os.getenv` sees
 * besides this process's variables; TILT_CONTEXT there is kubectl's context, kind-telltale by default. Throws an `Error` with the
 * interpreter's words when it does not evaluate.
 */
export async function evaluateTiltfile(tiltfile: string, env: Record<string, string> = {}): Promise<Tiltfile> {
  const packages = await locatePython(undefined, undefined, join(import.meta.dirname, 'requirements.txt'));
  const args = [join(import.meta.dirname, 'evaluate.py'), repo, await locateTool('helm')];
  const variables = {
    ...process.env,
    NAMESPACE: undefined,
    CLUSTER: undefined,
    EDGE_PORT: undefined,
    HELM_SET: undefined,
    ...env,
  };
  const python = spawn('python3', args, { env: { ...variables, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' } });
  python.stdin.end(tiltfile);
  const [output, errors, code] = await Promise.all([
    text(python.stdout),
    text(python.stderr),
    new Promise(resolve => python.once('close', resolve)),
  ]);
  if (code !== 0) throw new Error(`the Tiltfile does not evaluate:\n${errors}`);
  const calls = JSON.parse(output) as Call[];
  const of = <Name extends Call['function']>(name: Name) =>
    calls.filter((call): call is Extract<Call, { function: Name }> => call.function === name);
  return {
    builds: of('docker_build'),
    resources: of('k8s_resource'),
    locals: of('local_resource'),
    objects: of('k8s_yaml').flatMap(({ objects }) => objects),
    contexts: of('allow_k8s_contexts').map(({ contexts }) => contexts),
  };
}
