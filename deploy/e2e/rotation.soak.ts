import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Authority, issueLeaf } from '../../services/issuer/authority.ts';
import { AUTHORITY_SECRET, secretOf } from '../../services/issuer/policy.ts';
import { identityOf } from '../../services/kit/identity.ts';
import { authority, bringSecrets, podsWithIdentity, readSecret, runIssuer, untilUsed, writeSecret } from './identities.ts';
import { NAMESPACE, type Pod, restartsOf, rolloutRestart, until } from './kubectl.ts';
import { RATE, report, withLoad } from './load-pod.ts';
import { type NodePod, startNodePod } from './node-pod.ts';

const ROTATIONS = 10;
/** A Job's shortest time, in minutes, for everybody to learn to trust the next authority before it signs. */
const SETTLE_MINUTES = 1;

describe(`at ${RATE} calls a second`, () => {
  let node: NodePod;
  let pods: Awaited<ReturnType<typeof podsWithIdentity>>;
  before(async () => {
    node = await startNodePod();
    pods = await podsWithIdentity();
    assert.ok(pods.length > 0, 'no pod has an identity: is mtls off?');
  });
  after(() => node?.[Symbol.asyncDispose]());

  /** Calls without any retry as long as something happens, which must fail none of them, nor restart anything. */
  async function underLoad(t: TestContext, during: () => Promise<unknown>): Promise<void> {
    const state = (list: readonly Pod[]) => [list.map(({ metadata }) => metadata.uid).sort(), restartsOf([...list])];
    const before = state(await podsWithIdentity());
    let after: unknown;
    const result = await withLoad({ policy: 'no-retry' }, async () => {
      await during();
      after = state(await podsWithIdentity());
      // all connections to users are new ones then: callers and called understand each other by what they have now
      await rolloutRestart('users');
    });
    report(t, result);
    assert.deepEqual(result.failures, []);
    assert.deepEqual(after, before, 'a pod was restarted');
    pods = await podsWithIdentity();
  }

  /** Connects anew to the mesh port of every pod, by a leaf of `signer`: as `check`, and to the database as who stores. */
  const dialAll = async (signer: Authority) => {
    const leafOf = (name: string) => issueLeaf(signer, { identity: identityOf(NAMESPACE, name), now: new Date(), hours: 1 });
    const [check, stores] = [await leafOf('check'), await leafOf('payments')];
    const called = pods.filter(({ identity }) => identity !== 'edge');
    assert.ok(called.some(({ identity }) => identity === 'postgresql'));
    return node.dial(
      called.map(({ identity, status: { podIP: host = '' } }) => {
        const { certificate: cert, key } = identity === 'postgresql' ? stores : check;
        return { host, tls: { cert, key, ca: signer.certificate } };
      }),
    );
  };
  const answers = async (signer: Authority) => {
    for (const { host, answered, trusted, end } of await dialAll(signer)) assert.ok(answered && trusted, `${host}: ${end}`);
  };

  it('ten rotations of every leaf fail no call and restart no pod, and each pod shows its new one', async t => {
    const signer = await authority();
    await underLoad(t, async () => {
      for (let rotation = 0; rotation < ROTATIONS; rotation++) {
        const leaves = new Map<string, string>();
        for (const name of new Set(pods.map(({ identity }) => identity))) {
          const had = (await readSecret(secretOf(name)))['tls.crt'] ?? '';
          const dnsNames = name === 'postgresql' ? [name] : [];
          const leaf = await issueLeaf(signer, { identity: identityOf(NAMESPACE, name), now: new Date(), hours: 24, dnsNames });
          assert.notEqual(leaf.certificate, had);
          await writeSecret(secretOf(name), { 'tls.crt': leaf.certificate, 'tls.key': leaf.key });
          leaves.set(name, leaf.certificate);
        }
        await bringSecrets();
        await untilUsed(pods, pod => leaves.get(identityIn(pod)) ?? '');
      }
    });
    await answers(signer);
  });

  it('a change of the authority fails no call and restarts no pod, all identities are by the new one, and the old is trusted no more', async t => {
    const old = await authority();
    await underLoad(t, async () => {
      const settle = { TELLTALE_SETTLE_MINUTES: String(SETTLE_MINUTES) };
      await runIssuer({ ...settle, TELLTALE_NEW_AUTHORITY: 'true' });
      const { 'next.crt': next = '', 'next.since': since } = await readSecret(AUTHORITY_SECRET);
      assert.ok(since, 'not every bundle has the next one');
      await bringSecrets();
      await untilUsed(pods, () => next);
      await new Promise(resolve => setTimeout(resolve, Math.max(0, Date.parse(since) + SETTLE_MINUTES * 60_000 - Date.now())));
      await runIssuer(settle);
      const fresh = await authority();
      assert.equal(fresh.certificate, next);
      const leaves = new Map<string, string>();
      for (const { identity } of pods) leaves.set(identity, (await readSecret(secretOf(identity)))['tls.crt'] ?? '');
      await bringSecrets();
      await untilUsed(pods, pod => leaves.get(identityIn(pod)) ?? '');
      assert.notEqual(next, old.certificate);
      await answers(fresh);
      assert.ok((await dialAll(old)).every(({ answered }) => answered)); // its leaves are valid as long as there may be any
      // and as soon as there can be none any more:
      for (const identity of leaves.keys()) await writeSecret(secretOf(identity), { 'ca.crt': next });
      await bringSecrets();
      const refused = async () => (await dialAll(old)).every(({ answered }) => !answered);
      await until('no pod trusts the old authority', 150_000, refused);
      await answers(fresh);
    });
  });

  const identityIn = (pod: Pod) => pods.find(({ metadata }) => metadata.uid === pod.metadata.uid)?.identity ?? '';
});
