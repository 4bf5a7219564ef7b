import { containersOf, type PodSpec } from './chart-objects.ts';

/** The kinds of volumes that the standard allows, as far as the chart has them. */
const VOLUMES = ['configMap', 'emptyDir', 'persistentVolumeClaim', 'projected', 'secret'];

/**
 * What a pod may do beyond the Pod Security Standard *restricted*, with a read-only root besides: the path of each field that is
 * not as it must be. Empty for a pod that meets it. What only the standard's baseline names is looked for where it could be set.
 *
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export function breachesOf(spec: PodSpec): string[] {
  const breaches: string[] = [];
  const must = (holds: boolean, field: string) => {
    if (!holds) breaches.push(field);
  };
  const { securityContext, hostNetwork, hostPID, hostIPC } = spec;
  must(securityContext?.runAsNonRoot === true, 'securityContext.runAsNonRoot');
  must(securityContext?.runAsUser !== 0, 'securityContext.runAsUser');
  must(securityContext?.seccompProfile?.type === 'RuntimeDefault', 'securityContext.seccompProfile');
  for (const [field, value] of Object.entries({ hostNetwork, hostPID, hostIPC })) must(value === undefined, field);
  const known = ['runAsNonRoot', 'runAsUser', 'runAsGroup', 'fsGroup', 'fsGroupChangePolicy', 'seccompProfile'];
  for (const field of Object.keys(securityContext ?? {})) must(known.includes(field), `securityContext.${field}`);
  for (const { name, securityContext: own = {}, ports = [] } of containersOf(spec)) {
    must(own.allowPrivilegeEscalation === false, `${name}.allowPrivilegeEscalation`);
    must(own.readOnlyRootFilesystem === true, `${name}.readOnlyRootFilesystem`);
    must(JSON.stringify(own.capabilities) === '{"drop":["ALL"]}', `${name}.capabilities`);
    const set = ['allowPrivilegeEscalation', 'readOnlyRootFilesystem', 'capabilities'];
    for (const field of Object.keys(own)) must(set.includes(field), `${name}.${field}`);
    for (const port of ports) must(port.hostPort === undefined, `${name}.hostPort`);
  }
  for (const { name, ...kinds } of spec.volumes ?? []) {
    for (const kind of Object.keys(kinds)) must(VOLUMES.includes(kind), `${name}.${kind}`);
  }
  return breaches;
}
