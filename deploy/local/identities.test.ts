import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AUTHORITY_SECRET, type Policy, secretOf } from '../../services/issuer/policy.ts';
import { keepIdentities } from './identities.ts';
import { isIssuer, issuerPolicy } from './issuer.ts';
import type { KubeObject } from './manifest.ts';
import { testFolder } from './testing-chart.ts';

const policy: Policy = {
  namespace: 'telltale',
  names: ['edge', 'users'],
  hosts: [],
  leafHours: 24,
  authorityDays: 90,
  settleMinutes: 5,
};

describe('keepIdentities', () => {
  it('makes a folder for each identity, and what is within is for its owner only', async () => {
    using folder = testFolder();
    const identities = await keepIdentities(folder.paths.identities, policy);
    identities.close();
    assert.deepEqual([...identities.secrets.keys()], ['edge-identity', 'users-identity']);
    const users = identities.secrets.get('users-identity') ?? '';
    const { subjectAltName } = new X509Certificate(readFileSync(join(users, 'tls.crt')));
    assert.equal(subjectAltName, 'URI:spiffe://telltale/ns/telltale/sa/users');
    const modes = { folders: new Set<number>(), files: new Set<number>() };
    for (const entry of readdirSync(folder.paths.identities, { recursive: true, encoding: 'utf8' })) {
      const stat = lstatSync(join(folder.paths.identities, entry));
      if (stat.isDirectory()) modes.folders.add(stat.mode & 0o777);
      if (stat.isFile()) modes.files.add(stat.mode & 0o777);
    }
    assert.deepEqual(modes, { folders: new Set([0o700]), files: new Set([0o600]) });
  });

  it('keeps what there is, and renews what can be used no more', async () => {
    using folder = testFolder();
    const identities = await keepIdentities(folder.paths.identities, policy);
    identities.close();
    const certificates = async () => {
      const read = async (name: string) => (await identities.store.read(secretOf(name))).files['tls.crt'];
      return [await read('edge'), await read('users')];
    };
    const before = await certificates();
    await identities.renew();
    assert.deepEqual(await certificates(), before);
    const { version } = await identities.store.read('users-identity');
    await identities.store.write('users-identity', { 'tls.key': 'none' }, version);
    await identities.renew();
    const after = await certificates();
    assert.equal(after[0], before[0]);
    assert.notEqual(after[1], before[1]);
  });

  it('begins a change of the authority when it is told to', async () => {
    using folder = testFolder();
    const identities = await keepIdentities(folder.paths.identities, policy);
    identities.close();
    await identities.renew(true);
    const { 'next.crt': next = '' } = (await identities.store.read(AUTHORITY_SECRET)).files;
    assert.ok(next !== '' && (await identities.store.read('users-identity')).files['ca.crt']?.includes(next));
  });
});

describe('issuerPolicy', () => {
  const job = (env: object[]): KubeObject => {
    const containers = [{ name: 'issuer', image: 'telltale', command: ['node', 'services/issuer/main.ts'], env }];
    const spec = { template: { spec: { containers } } };
    return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'issuer-1' }, spec } as KubeObject;
  };
  const told = (entries: Record<string, string>) => Object.entries(entries).map(([name, value]) => ({ name, value }));
  const needed = { TELLTALE_NAMESPACE: 'telltale', TELLTALE_IDENTITIES: 'edge,users', TELLTALE_IDENTITY_HOSTS: '' };

  it("is what the chart's Job is told", () => {
    const env = told({ ...needed, TELLTALE_LEAF_HOURS: '12', TELLTALE_AUTHORITY_DAYS: '30', TELLTALE_SETTLE_MINUTES: '7' });
    const expected = { ...policy, leafHours: 12, authorityDays: 30, settleMinutes: 7 };
    assert.deepEqual(issuerPolicy([job(env)], '/identities'), expected);
    assert.equal(issuerPolicy([], '/identities'), undefined);
    assert.throws(
      () => issuerPolicy([job(told({ ...needed, TELLTALE_LEAF_HOURS: 'x' }))], '/identities'),
      /TELLTALE_LEAF_HOURS/,
    );
  });

  it('takes no other Job for the issuer', () => {
    const other = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'issuer' } };
    const spec = { template: { spec: { containers: [{ name: 'issuer', image: 'x', command: ['sh'] }] } } };
    assert.equal(isIssuer({ ...other, spec } as KubeObject), false);
    assert.equal(isIssuer(job([])), true);
  });
});
