import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSettings } from './settings.ts';

const enough = { TELLTALE_NAMESPACE: 'mesh', TELLTALE_IDENTITIES: 'edge,users', TELLTALE_IDENTITY_DIR: '/identities' };

describe('parseSettings', () => {
  it('makes a policy of the variables, with a day for leaves and 90 for authorities', () => {
    assert.deepEqual(parseSettings(enough).policy, {
      namespace: 'mesh',
      names: ['edge', 'users'],
      hosts: [],
      leafHours: 24,
      authorityDays: 90,
      settleMinutes: 5,
    });
    assert.deepEqual(parseSettings({ ...enough, TELLTALE_IDENTITY_HOSTS: 'users' }).policy.hosts, ['users']);
  });

  it('refuses what is wrong, and says how to mend it', () => {
    const rows: [env: NodeJS.ProcessEnv, says: RegExp][] = [
      [{ TELLTALE_NAMESPACE: undefined }, /TELLTALE_NAMESPACE: is not set, and has no default; set it: The namespace of/],
      [{ TELLTALE_NAMESPACE: 'Mesh' }, /TELLTALE_NAMESPACE: "Mesh" is no name; write 1 to 63 small letters/],
      [{ TELLTALE_IDENTITIES: 'edge, users' }, /TELLTALE_IDENTITIES: " users" is no name/],
      [{ TELLTALE_IDENTITIES: 'edge,edge' }, /TELLTALE_IDENTITIES: "edge" is there twice; remove one/],
      [{ TELLTALE_IDENTITY_HOSTS: 'lab' }, /TELLTALE_IDENTITY_HOSTS: lab is not in TELLTALE_IDENTITIES; add it there/],
      [{ TELLTALE_LEAF_HOURS: '0' }, /TELLTALE_LEAF_HOURS: "0" is not a whole number from 1 to 8760/],
      [{ TELLTALE_LEAF_HOURS: '541' }, /TELLTALE_LEAF_HOURS: 541 is more than a quarter of TELLTALE_AUTHORITY_DAYS; lower it/],
      [{ TELLTALE_IDENTITY_DIR: '' }, /TELLTALE_IDENTITY_DIR: is empty, but this is no pod of Kubernetes; name a folder/],
      [{ TELLTALE_LISTEN: '127.0.0.1:1' }, /TELLTALE_LISTEN: no such variable/],
    ];
    for (const [env, says] of rows) assert.throws(() => parseSettings({ ...enough, ...env }), says);
    assert.ok(parseSettings({ ...enough, TELLTALE_LEAF_HOURS: '540' }));
  });
});
