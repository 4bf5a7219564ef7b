import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { identityOf } from '../kit/identity.ts';
import { bundleIn } from './authorities.ts';
import { createAuthority, issueLeaf } from './authority.ts';
import { AUTHORITY_SECRET, HOUR_MS, MINUTE_MS, secretOf } from './policy.ts';
import { type Found, renew } from './renew.ts';
import { BIRTH, beginLife, describeLife, type Life, policy } from './testing-life.ts';

const DAY_MS = 24 * HOUR_MS;

describe('renew', () => {
  let life: Life;
  beforeEach(async () => {
    life = beginLife();
    await life.run();
  });

  const found = (): Found => ({
    identities: new Map(policy.names.map(name => [name, life.store.files(secretOf(name))])),
    authority: life.store.files(AUTHORITY_SECRET),
  });
  const writes = async (change: (found: Found) => Found = same => same, more: Partial<typeof policy> = {}) =>
    (await renew(change(found()), { ...policy, ...more }, new Date(life.now()))).map(({ secret, reason, changes }) => [
      secret,
      Object.keys(changes).join(' '),
      reason,
    ]);
  /** What was found, with other files in the Secret of users. */
  const withUsers = (files: Record<string, string>) => (all: Found) => ({
    ...all,
    identities: new Map([...all.identities, ['users', { ...all.identities.get('users'), ...files }]]),
  });

  it('makes an authority, a leaf and a bundle for each identity, and then leaves them alone', async () => {
    assert.deepEqual(await writes(), []);
    assert.deepEqual(describeLife(life), { bundles: ['current'], leaves: ['current'] });
    const { 'tls.crt': leaf = '' } = life.store.files('postgresql-identity');
    const names = new X509Certificate(leaf).subjectAltName;
    assert.equal(names, 'URI:spiffe://telltale/ns/mesh/sa/postgresql, DNS:postgresql');
    assert.deepEqual(Object.keys(life.store.files(AUTHORITY_SECRET)).sort(), ['current.crt', 'current.key']);
  });

  it('replaces a leaf when less than half of its life is left, and not before', async () => {
    life.pass(12 * HOUR_MS - 2 * MINUTE_MS);
    assert.deepEqual(await writes(), []);
    life.pass(2 * MINUTE_MS);
    const reason = 'less than half of its life was left';
    assert.deepEqual(
      await writes(),
      policy.names.map(name => [secretOf(name), 'tls.crt tls.key', reason]),
    );
  });

  it('replaces a leaf that is not what it should be', async () => {
    const now = new Date(life.now());
    const authority = { certificate: found().authority['current.crt'] ?? '', key: found().authority['current.key'] ?? '' };
    const other = await createAuthority({ now, days: 90 });
    const users = identityOf('mesh', 'users');
    const leaf = async (by = authority, identity = users, hours = 24, from = now) => {
      const { certificate, key } = await issueLeaf(by, { identity, now: from, hours });
      return { 'tls.crt': certificate, 'tls.key': key };
    };
    const good = await leaf();
    const rows: [files: Record<string, string>, reason: string][] = [
      [{ ...good, 'tls.crt': 'nonsense' }, 'its certificate could not be read'],
      [{ ...good, 'tls.crt': `${good['tls.crt']}nonsense\n` }, 'its certificate could not be read'],
      [{ ...good, 'tls.crt': '' }, 'its certificate could not be read'],
      [{ ...good, 'tls.key': 'nonsense' }, 'its key did not fit'],
      [{ ...good, 'tls.key': (await leaf())['tls.key'] }, 'its key did not fit'],
      [await leaf(authority, identityOf('other', 'users')), 'it was for other names'],
      [await leaf(authority, identityOf('mesh', 'orders')), 'it was for other names'],
      [await leaf(other), 'it was by another authority'],
      [await leaf(authority, users, 24, new Date(life.now() + 5 * MINUTE_MS)), 'it was not yet valid'],
      [await leaf(authority, users, 26), 'it would have lived too long'],
    ];
    assert.deepEqual(await writes(withUsers(good)), []);
    for (const [files, reason] of rows)
      assert.deepEqual(await writes(withUsers(files)), [['users-identity', 'tls.crt tls.key', reason]]);
    const bundle = await writes(withUsers({ 'ca.crt': other.certificate }));
    assert.deepEqual(bundle, [['users-identity', 'ca.crt', 'the bundle was another']]);
  });

  it('mends a bundle by other bytes than it had before, as Envoy takes no notice of the same', async () => {
    const good = life.store.files(secretOf('users'))['ca.crt'] ?? '';
    const mended = async (minutes: number) => {
      const [write] = await renew(
        withUsers({ 'ca.crt': good.slice(0, -100) })(found()),
        policy,
        new Date(life.now() + minutes * MINUTE_MS),
      );
      return write?.changes['ca.crt'] ?? '';
    };
    const texts = [good, await mended(1), await mended(2)];
    assert.equal(new Set(texts).size, 3);
    assert.equal(new Set(texts.map(bundleIn)).size, 1);
    assert.deepEqual(await writes(withUsers({ 'ca.crt': texts[2] ?? '' })), []);
    assert.deepEqual(await writes(withUsers({ 'ca.crt': bundleIn(good) ?? '' })), []); // of an issuer that did not say when
  });

  it('fills the Secret of a new identity, and touches no other', async () => {
    const more = await writes(same => same, { names: [...policy.names, 'lab'] });
    assert.deepEqual(more, [['lab-identity', 'tls.crt tls.key ca.crt', 'there was none']]);
  });

  it('changes the authority in three steps, when less than a third of its life is left', async () => {
    life = beginLife();
    const run = () => life.run({ authorityDays: 9 });
    for (await run(); life.now() < BIRTH + 6 * DAY_MS - 10 * HOUR_MS; await run()) life.pass(10 * HOUR_MS);
    const { 'current.crt': old } = found().authority;
    assert.deepEqual(describeLife(life), { bundles: ['current'], leaves: ['current'] });
    life.pass(10 * HOUR_MS);
    await run();
    assert.deepEqual(describeLife(life), { bundles: ['current next'], leaves: ['current'] });
    life.pass(4 * MINUTE_MS);
    assert.equal(await run(), 0);
    life.pass(MINUTE_MS);
    await run();
    assert.deepEqual(describeLife(life), { bundles: ['current previous'], leaves: ['current'] });
    assert.equal(found().authority['previous.crt'], old);
    for (let hours = 0; hours < 24; hours += 8) {
      life.pass(8 * HOUR_MS);
      await run();
      assert.deepEqual(describeLife(life), { bundles: ['current previous'], leaves: ['current'] });
    }
    life.pass(6 * MINUTE_MS);
    await run();
    assert.deepEqual(describeLife(life), { bundles: ['current'], leaves: ['current'] });
    assert.deepEqual(Object.keys(found().authority).sort(), ['current.crt', 'current.key']);
  });

  it('begins a change when it is asked to, and not a second one meanwhile', async () => {
    await life.run({ newAuthority: true });
    const next = found().authority['next.crt'];
    assert.deepEqual(describeLife(life), { bundles: ['current next'], leaves: ['current'] });
    assert.equal(await life.run({ newAuthority: true }), 0);
    life.pass(HOUR_MS);
    await life.run();
    assert.equal(found().authority['current.crt'], next);
    // While leaves of the previous one can be valid it stays, whatever else happens.
    await life.run({ newAuthority: true });
    life.pass(HOUR_MS);
    await life.run();
    assert.deepEqual(describeLife(life), { bundles: ['current previous previous'], leaves: ['current'] });
    for (let hours = 0; hours < 32; hours += 8) {
      life.pass(8 * HOUR_MS);
      await life.run();
    }
    assert.deepEqual(describeLife(life), { bundles: ['current'], leaves: ['current'] });
  });

  it('waits again when a bundle has lost the next authority', async () => {
    const { 'ca.crt': before = '' } = life.store.files('users-identity');
    await life.run({ newAuthority: true });
    life.pass(4 * MINUTE_MS);
    await life.store.write('users-identity', { 'ca.crt': before }, (await life.store.read('users-identity')).version);
    life.pass(2 * MINUTE_MS);
    await life.run();
    assert.deepEqual(describeLife(life), { bundles: ['current next'], leaves: ['current'] });
    life.pass(5 * MINUTE_MS);
    await life.run();
    assert.deepEqual(describeLife(life), { bundles: ['current previous'], leaves: ['current'] });
  });

  it('replaces an authority at once that cannot be used, and trusts it as long as its leaves can be valid', async () => {
    const changed = (files: Record<string, string>) => (all: Found) => ({ ...all, authority: { ...all.authority, ...files } });
    const leaves = policy.names.map(name => [secretOf(name), 'tls.crt tls.key ca.crt', 'it was by another authority']);
    const reason = 'there was none that could be used';
    const files = 'current.crt current.key previous.crt previous.until';
    assert.deepEqual(await writes(changed({ 'current.key': 'nonsense' })), [[AUTHORITY_SECRET, files, reason], ...leaves]);
    const unreadable = await writes(changed({ 'current.crt': 'nonsense' }));
    assert.deepEqual(unreadable, [[AUTHORITY_SECRET, 'current.crt current.key', reason], ...leaves]);
    life = beginLife();
    await life.run({ authorityDays: 1 });
    assert.deepEqual((await renew(found(), policy, new Date(life.now() + 2 * DAY_MS))).length, 4);
  });

  it('refuses to do anything by a clock that is far behind', async () => {
    await assert.rejects(
      renew(found(), policy, new Date(life.now() - 2 * HOUR_MS)),
      /^RangeError: the Secret identities-authority says 2029-12-31T23:59:00.000Z, but the clock here says 2029-12-31T22:00:00.000Z; correct/,
    );
    assert.deepEqual(await renew(found(), policy, new Date(life.now() - 30_000)), []);
  });
});
