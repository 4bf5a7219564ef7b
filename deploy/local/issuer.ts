import type { Policy } from '../../services/issuer/policy.ts';
import { parseSettings } from '../../services/issuer/settings.ts';
import { type KubeObject, ofKind, type PodSpec } from './manifest.ts';

const PROGRAM = 'services/issuer/main.ts';

/** Whether an object is a Job or a CronJob of the chart's issuer, for which the local run stands in. */
export function isIssuer(object: KubeObject): boolean {
  const specs = [
    ...ofKind([object], 'Job').map(({ spec }) => spec.template.spec),
    ...ofKind([object], 'CronJob').map(({ spec }) => spec.jobTemplate.spec.template.spec),
  ];
  return specs.some(runsIssuer);
}

/**
 * What the chart's issuer is told, for an issuer that keeps the identities in `dir`; `undefined` when the chart has none.
 * Throws a `ConfigError` that lists what is wrong with it.
 */
export function issuerPolicy(objects: readonly KubeObject[], dir: string): Policy | undefined {
  const job = ofKind(objects, 'Job').find(isIssuer);
  if (job === undefined) return undefined;
  const { env = [] } = job.spec.template.spec.containers.find(({ command }) => command?.includes(PROGRAM)) ?? {};
  const told = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));
  return parseSettings({ TELLTALE_POD: job.metadata.name, ...Object.fromEntries(told), TELLTALE_IDENTITY_DIR: dir }).policy;
}

function runsIssuer({ containers }: PodSpec): boolean {
  return containers.some(({ command }) => command?.includes(PROGRAM));
}
