import { parseObjects } from './local/render.ts';
import { renderText } from './run-helm.ts';

/** An object of any kind, as far as the chart's tests look into it. */
export interface ChartObject {
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  rules?: { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }[];
  subjects?: { kind: string; name: string; namespace: string }[];
  /** Of a workload; a Pod's own spec is read by `podSpecs`. */
  spec?: {
    replicas?: number;
    template?: { spec: PodSpec };
    /** Of a CronJob. */
    jobTemplate?: { spec: { template: { spec: PodSpec } } };
    type?: string;
    clusterIP?: string;
    selector?: Record<string, unknown>;
    ports?: { name?: string; port: number; targetPort: number | string; appProtocol?: string }[];
    policyTypes?: string[];
    ingress?: PolicyRule[];
    egress?: PolicyRule[];
    groups?: unknown[];
  };
}

/** A rule of a NetworkPolicy. */
export interface PolicyRule {
  from?: Peer[];
  to?: Peer[];
  ports?: { port: number }[];
}

/** Whom a rule is about. */
export interface Peer {
  podSelector: { matchLabels: Record<string, string> };
  namespaceSelector?: Record<string, never>;
}

/** The spec of a pod. */
export interface PodSpec {
  automountServiceAccountToken?: boolean;
  securityContext: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile?: { type: string } };
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  containers: Container[];
  initContainers?: Container[];
  volumes?: { name: string; [kind: string]: unknown }[];
}

/** A container of a pod. */
export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string }[];
  ports?: { name?: string; containerPort: number; hostPort?: number }[];
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  securityContext: Record<string, unknown>;
  resources: { requests: Quantities; limits: Quantities };
}

interface Quantities {
  cpu?: string;
  memory: string;
}

/** The chart's objects with these values, as `--set-json` has them; `args` are more arguments of `helm template`. */
export async function renderObjects(values = 'global={}', ...args: string[]): Promise<ChartObject[]> {
  return parseObjects(await renderText('--set-json', values, ...args)) as unknown as ChartObject[];
}

/** The objects of one kind, by name. */
export function named(objects: readonly ChartObject[], kind: string): Map<string, ChartObject> {
  return new Map(objects.filter(object => object.kind === kind).map(object => [object.metadata.name, object]));
}

/** The spec of every pod that these objects lead to, by the object's name. */
export function podSpecs(objects: readonly ChartObject[]): Map<string, PodSpec> {
  const specs = objects.flatMap(({ kind, metadata, spec }) => {
    const template = spec?.template ?? spec?.jobTemplate?.spec.template;
    const pod = kind === 'Pod' ? (spec as unknown as PodSpec) : template?.spec;
    return pod === undefined ? [] : [[metadata.name, pod] as const];
  });
  return new Map(specs);
}

/** The containers of a pod, its sidecars among them. */
export function containersOf(spec: PodSpec): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** The memory that all pods of the workloads ask for, in MiB, by the workload's name. NaN where that is no whole number of them. */
export function requestedMebibytes(objects: readonly ChartObject[]): Map<string, number> {
  const workloads = objects.filter(({ spec }) => spec?.template !== undefined);
  return new Map(
    workloads.map(({ metadata, spec }) => {
      const each = spec?.template ? containersOf(spec.template.spec) : [];
      const sum = each.reduce((total, { resources }) => total + mebi(resources.requests.memory), 0);
      return [metadata.name, sum * (spec?.replicas ?? 1)];
    }),
  );
}

function mebi(quantity: string): number {
  const [, digits] = /^(\d+)Mi$/.exec(quantity) ?? [];
  return Number(digits);
}
