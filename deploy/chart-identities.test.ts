import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSettings } from '../services/issuer/settings.ts';
import { type ChartObject, named, podSpecs, renderObjects } from './chart-objects.ts';

/** The names of the Secrets that the chart makes without data, for somebody else to fill. */
const emptySecrets = (objects: readonly ChartObject[]) =>
  [...named(objects, 'Secret').values()]
    .filter(({ data, stringData }) => !data && !stringData)
    .map(({ metadata }) => metadata.name);

/** What the issuer is told, as it reads it itself, by the name of the Job or CronJob. */
function settingsOf(objects: readonly ChartObject[]) {
  const specs = [...podSpecs(objects)].filter(([name]) => name.startsWith('issuer'));
  return specs.map(([, spec]) => {
    const [container] = spec.containers;
    const env = Object.fromEntries((container?.env ?? []).map(({ name, value = 'a-pod' }) => [name, value]));
    return parseSettings({ ...env, KUBERNETES_SERVICE_HOST: '10.96.0.1' });
  });
}

describe('the issuer', () => {
  it('is told of everybody who has an identity, and may get and patch their Secrets and no others', async () => {
    const objects = await renderObjects();
    const names = ['check', 'edge', 'orders', 'payments', 'postgresql', 'storefront', 'users'];
    const secrets = ['identities-authority', ...names.map(name => `${name}-identity`)];
    assert.deepEqual(emptySecrets(objects).sort(), [...secrets].sort());
    const [rule, ...more] = named(objects, 'Role').get('issuer')?.rules ?? [];
    assert.deepEqual(rule, { apiGroups: [''], resources: ['secrets'], resourceNames: secrets, verbs: ['get', 'patch'] });
    assert.deepEqual(more, []);
    assert.deepEqual(named(objects, 'RoleBinding').get('issuer')?.subjects, [
      { kind: 'ServiceAccount', name: 'issuer', namespace: 'telltale' },
    ]);
    const settings = settingsOf(objects);
    assert.equal(settings.length, 2);
    for (const { policy } of settings)
      assert.deepEqual(policy, {
        namespace: 'telltale',
        names,
        hosts: ['postgresql'],
        leafHours: 24,
        authorityDays: 90,
        settleMinutes: 5,
      });
  });

  it('has no identity to issue for a database that is not the chart’s', async () => {
    for (const values of ['storage="sqlite"', 'database.existingSecret="db"']) {
      const objects = await renderObjects(values);
      const [settings] = settingsOf(objects);
      assert.deepEqual(settings?.policy.hosts, []);
      assert.equal(settings.policy.names.includes('postgresql'), false);
      assert.equal(emptySecrets(objects).includes('postgresql-identity'), false);
    }
  });

  it('talks to the Kubernetes API and to nobody else', async () => {
    const { spec } = named(await renderObjects(), 'NetworkPolicy').get('issuer') ?? {};
    assert.deepEqual(spec?.policyTypes, ['Ingress', 'Egress']);
    assert.deepEqual(spec.ingress, undefined);
    assert.deepEqual(
      spec.egress?.flatMap(({ to, ports = [] }) => [to, ...ports.map(({ port }) => port)]),
      [undefined, 443, 6443],
    );
    const objects = await renderObjects('networkPolicies=false,observability.networkPolicies=false');
    assert.equal(named(objects, 'NetworkPolicy').has('issuer'), false);
  });

  it('runs again when what it is told changes, and only then', async () => {
    const jobOf = async (values?: string) => [...named(await renderObjects(values), 'Job').keys()].join();
    const job = await jobOf();
    assert.match(job, /^issuer-[0-9a-f]{10}$/);
    assert.equal(await jobOf('services.users.replicas=3'), job);
    for (const values of ['identities.leafHours=12', 'image.tag="1.2.3"', 'storage="sqlite"'])
      assert.notEqual(await jobOf(values), job);
  });

  it('needs no variable and no value with a key', async () => {
    const texts = JSON.stringify([...podSpecs(await renderObjects())].filter(([name]) => name.startsWith('issuer')));
    assert.doesNotMatch(texts, /secretKeyRef|envFrom|PRIVATE/);
  });
});

describe('the chart makes no issuer and no Secret for identities', () => {
  for (const values of [
    'mtls=false',
    'identities.issuer="secrets"',
    'identities={"issuer":"cert-manager","certManager":{"issuerRef":{"name":"ca"}}}',
  ])
    it(values, async () => {
      const objects = await renderObjects(values);
      assert.deepEqual(emptySecrets(objects), []);
      assert.deepEqual(
        objects.filter(({ metadata }) => metadata.name.startsWith('issuer')),
        [],
      );
    });
});

it('cert-manager is asked for the same identities, for as long, in Secrets of the same names', async () => {
  const issuerRef = { name: 'ca', kind: 'ClusterIssuer', group: 'cert-manager.io' };
  const values = { issuer: 'cert-manager', leafHours: 12, certManager: { issuerRef } };
  const certificates = [...named(await renderObjects(`identities=${JSON.stringify(values)}`), 'Certificate').values()];
  const chart = await renderObjects();
  const secrets = certificates.map(({ spec }) => (spec as Record<string, unknown>).secretName);
  assert.deepEqual([...secrets, 'identities-authority'].sort(), emptySecrets(chart).sort());
  const postgresql = certificates.find(({ metadata }) => metadata.name === 'postgresql');
  assert.deepEqual(postgresql?.spec, {
    secretName: 'postgresql-identity',
    commonName: 'postgresql',
    uris: ['spiffe://telltale/ns/telltale/sa/postgresql'],
    dnsNames: ['postgresql'],
    duration: '12h',
    renewBeforePercentage: 50,
    privateKey: { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Always' },
    usages: ['digital signature', 'client auth', 'server auth'],
    revisionHistoryLimit: 1,
    issuerRef,
  });
  const users = certificates.find(({ metadata }) => metadata.name === 'users')?.spec as Record<string, unknown> | undefined;
  assert.deepEqual([users?.uris, users?.dnsNames], [['spiffe://telltale/ns/telltale/sa/users'], undefined]);
});
