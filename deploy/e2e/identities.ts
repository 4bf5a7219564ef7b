import { X509Certificate } from 'node:crypto';
import type { Authority } from '../../services/issuer/authority.ts';
import { AUTHORITY_SECRET, secretOf } from '../../services/issuer/policy.ts';
import type { Files } from '../../services/issuer/store.ts';
import { sendHttp } from '../local/testing-http.ts';
import { kubectl, kubectlJson, type Pod, portForward, until } from './kubectl.ts';

/** What is read of the issuer's CronJob, and written of a Job like it. */
interface JobSpec {
  template: { spec: { containers: { env: { name: string; value?: string }[] }[] } };
}

let jobs = 0;

/** What a Secret holds, by the names of its files. */
export async function readSecret(name: string): Promise<Files> {
  const { data = {} } = await kubectlJson<{ data?: Record<string, string> }>('get', 'secret', name);
  return Object.fromEntries(Object.entries(data).map(([file, base64]) => [file, Buffer.from(base64, 'base64').toString()]));
}

/** Changes some files of a Secret. */
export async function writeSecret(name: string, files: Files): Promise<void> {
  const all = { ...(await readSecret(name)), ...files }; // to apply only some would remove those that were applied before
  const data = Object.fromEntries(Object.entries(all).map(([file, text]) => [file, Buffer.from(text).toString('base64')]));
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data };
  // by standard input: every user of the machine could read an argument
  await kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=e2e', '-f', '-'], JSON.stringify(secret));
}

/** Who signs the identities of the mesh. Throws when nobody does yet. */
export async function authority(): Promise<Authority> {
  const { 'current.crt': certificate, 'current.key': key } = await readSecret(AUTHORITY_SECRET);
  if (!certificate || !key) throw new Error(`the Secret ${AUTHORITY_SECRET} has no authority that signs`);
  return { certificate, key };
}

/** Runs the issuer once, as its CronJob does, with these variables besides. Throws when it has not done its work in two minutes. */
export async function runIssuer(variables: Record<string, string>): Promise<void> {
  const name = `issuer-e2e-${process.pid}-${jobs++}`;
  const { spec } = await kubectlJson<{ spec: { jobTemplate: { spec: JobSpec } } }>('get', 'cronjob', 'issuer');
  const job = spec.jobTemplate.spec;
  for (const { env } of job.template.spec.containers) {
    const kept = env.filter(variable => !(variable.name in variables));
    env.splice(0, env.length, ...kept, ...Object.entries(variables).map(([name, value]) => ({ name, value })));
  }
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: job }));
  try {
    await kubectl(['wait', `job/${name}`, '--for=condition=complete', '--timeout=120s']);
  } finally {
    await kubectl(['delete', `job/${name}`, '--cascade=foreground']);
  }
}

/** Has the kubelet bring changed Secrets to the pods now, and not within two minutes: it looks after a pod that has changed. */
export async function bringSecrets(): Promise<void> {
  const release = 'app.kubernetes.io/instance=telltale';
  await kubectl(['annotate', 'pods', '-l', release, '--overwrite', `telltale/secrets-changed=${Date.now()}`]);
}

/** The pods that have an Envoy, each with the name of its identity. */
export async function podsWithIdentity(): Promise<(Pod & { identity: string })[]> {
  const { items } = await kubectlJson<{ items: (Pod & PodVolumes)[] }>(
    'get',
    'pods',
    '-l',
    'app.kubernetes.io/instance=telltale',
  );
  return items.flatMap(pod => {
    const name = pod.metadata.labels['app.kubernetes.io/name'] ?? '';
    const mounted = pod.spec.volumes.some(({ secret }) => secret?.secretName === secretOf(name));
    return mounted && pod.status.phase === 'Running' && pod.metadata.deletionTimestamp === undefined
      ? [{ ...pod, identity: name }]
      : [];
  });
}

interface PodVolumes {
  metadata: { labels: Record<string, string> };
  spec: { volumes: { secret?: { secretName: string } }[] };
}

/** Resolves when the Envoy of each of these pods uses this certificate, its own or an authority's, for the handshakes to come. */
export async function untilUsed(pods: readonly Pod[], certificateFor: (pod: Pod) => string): Promise<void> {
  const waits = pods.map(async pod => {
    const { serialNumber } = new X509Certificate(certificateFor(pod));
    const serial = new RegExp(`"0*${serialNumber.replace(/^0+/, '')}"`, 'i');
    using admin = await portForward(`pod/${pod.metadata.name}`, 15000);
    await until(`${pod.metadata.name} uses the new certificate`, 150_000, async () =>
      serial.test((await sendHttp(admin.address, { path: '/certs' })).text),
    );
  });
  await Promise.all(waits);
}
