/** The parts of Kubernetes objects that the local run reads; everything else is carried along unread. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Labels; annotations?: Labels };
}

export type Labels = Record<string, string>;

export interface Deployment extends KubeObject {
  kind: 'Deployment';
  spec: { replicas?: number; strategy?: { type?: string }; selector: { matchLabels: Labels }; template: PodTemplate };
}

export interface Service extends KubeObject {
  kind: 'Service';
  spec: { clusterIP?: string; selector?: Labels; ports?: { name?: string; port: number; targetPort?: number | string }[] };
}

export interface ConfigMap extends KubeObject {
  kind: 'ConfigMap';
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

export interface Job extends KubeObject {
  kind: 'Job';
  spec: { template: PodTemplate };
}

export interface CronJob extends KubeObject {
  kind: 'CronJob';
  spec: { jobTemplate: { spec: Job['spec'] } };
}

export interface PodTemplate {
  metadata?: { labels?: Labels; annotations?: Labels };
  spec: PodSpec;
}

export interface PodSpec {
  initContainers?: Container[];
  containers: Container[];
  volumes?: Volume[];
  /** Whether it may call the Kubernetes API: such a pod is told of the control API's socket. */
  automountServiceAccountToken?: boolean;
  /** Seconds; 30 when absent. */
  terminationGracePeriodSeconds?: number;
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  envFrom?: unknown[];
  lifecycle?: { preStop?: { sleep?: { seconds: number }; httpGet?: HttpGet; exec?: unknown }; postStart?: unknown };
  /** `Always` makes an init container a native sidecar. */
  restartPolicy?: string;
  ports?: { name?: string; containerPort: number }[];
  volumeMounts?: { name: string; mountPath: string; subPath?: string }[];
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { fieldRef?: { fieldPath: string } };
}

export interface Volume {
  name: string;
  configMap?: { name: string; optional?: boolean; items?: { key: string; path: string }[] };
  secret?: SecretVolume;
  emptyDir?: unknown;
  persistentVolumeClaim?: { claimName: string };
}

export interface SecretVolume {
  secretName: string;
  items?: { key: string; path: string }[];
}

/** Times in seconds; the defaults are Kubernetes' own (period 10, time-out 1, 3 failures, 1 success). */
export interface Probe {
  httpGet?: HttpGet;
  grpc?: { port: number; service?: string };
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  failureThreshold?: number;
  successThreshold?: number;
}

export interface HttpGet {
  path?: string;
  port: number | string;
}

interface Kinds {
  Deployment: Deployment;
  Service: Service;
  ConfigMap: ConfigMap;
  Job: Job;
  CronJob: CronJob;
}

/** The objects of one kind, in their order. */
export function ofKind<K extends keyof Kinds>(objects: readonly KubeObject[], kind: K): Kinds[K][] {
  return objects.filter((object): object is Kinds[K] => object.kind === kind);
}

/** The label that names a pod's service. */
export const serviceLabel = 'app.kubernetes.io/name';

/** The only namespace of the local run. */
export const namespace = 'telltale';

/** True when `labels` has every entry of `selector`. */
export function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
