import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Authority, createAuthority, issueLeaf, type Leaf } from '../../services/issuer/authority.ts';
import { identityOf } from '../../services/kit/identity.ts';
import { authority, podsWithIdentity } from './identities.ts';
import { kubectl, NAMESPACE, type Pod } from './kubectl.ts';
import { report, withLoad } from './load-pod.ts';
import type { TlsOptions } from './node-asks.ts';
import { type NodePod, startNodePod } from './node-pod.ts';

/** How often each caller tries each pod. */
const ATTEMPTS = 3;
const HOUR_MS = 3_600_000;
const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS);

describe('the mesh port of every pod in the cluster', () => {
  let node: NodePod;
  let pods: (Pod & { identity: string })[];
  let signer: Authority;
  before(async () => {
    node = await startNodePod();
    signer = await authority();
    pods = (await podsWithIdentity()).filter(({ identity }) => identity !== 'edge');
  });
  after(() => node?.[Symbol.asyncDispose]());

  const leaf = (name: string, by = signer, now = new Date(), namespace = NAMESPACE) =>
    issueLeaf(by, { identity: identityOf(namespace, name), now, hours: 1 });
  const tlsBy = ({ certificate, key }: Leaf): TlsOptions => ({ cert: certificate, key, ca: signer.certificate });
  /** The right one for a pod: the database lets in only those who store. */
  const right = async ({ identity }: { identity: string }) =>
    tlsBy(await leaf(identity === 'postgresql' ? 'payments' : 'check'));

  /**
   * By what an ingress counts that it refused somebody, and what that one shows; `undefined` for one that speaks plain text. Then
   * the part whose pods it dials, where it is not all of them.
   */
  const callers: Record<
    string,
    [counter: string, caller: (pod: Pod & { identity: string }) => Promise<TlsOptions | undefined>, part?: string]
  > = {
    'no certificate': ['fail_verify_no_cert', async () => ({ ca: signer.certificate })],
    "another authority's certificate": [
      'fail_verify_error',
      async () => tlsBy(await leaf('payments', await createAuthority({ now: new Date(), days: 1 }))),
    ],
    // the pods of services let in everybody of the mesh and look at each call: see authorization.test.ts
    'the identity of users, which stores nothing,': ['fail_verify_san', async () => tlsBy(await leaf('users')), 'postgresql'],
    'the identity of storefront, which stores nothing,': [
      'fail_verify_san',
      async () => tlsBy(await leaf('storefront')),
      'postgresql',
    ],
    'the right authority, another namespace': [
      'fail_verify_san',
      async () => tlsBy(await leaf('payments', signer, new Date(), `${NAMESPACE}-2`)),
    ],
    'a certificate that has expired': ['fail_verify_error', async () => tlsBy(await leaf('payments', signer, hoursAgo(1.001)))],
    'a certificate that is not yet valid': [
      'fail_verify_error',
      async () => tlsBy(await leaf('payments', signer, hoursAgo(-0.1))),
    ],
    'TLS 1.1': [
      'connection_error',
      async pod => ({
        ...(await right(pod)),
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
    ],
    'plain text': ['connection_error', async () => undefined],
  };

  const dialAll = async (caller: (pod: Pod & { identity: string }) => Promise<TlsOptions | undefined>, those = pods) => {
    const attempts = await Promise.all(those.map(async pod => ({ host: pod.status.podIP ?? '', tls: await caller(pod) })));
    return node.dial(attempts.flatMap(attempt => Array(ATTEMPTS).fill(attempt)));
  };

  it('answers the right certificate, the control', async () => {
    const dialled = await dialAll(right);
    assert.equal(dialled.length, pods.length * ATTEMPTS);
    for (const { host, answered, end } of dialled) assert.ok(answered, `${host}: ${end}`);
  });

  it('refuses every other, counts it, and fails no call beside it', async t => {
    const result = await withLoad({ rate: 20, policy: 'no-retry' }, async () => {
      for (const [what, [counter, caller, part]] of Object.entries(callers)) {
        const dialled = pods.filter(({ identity }) => part === undefined || identity === part);
        assert.ok(dialled.length > 0, `there is no ${part}`);
        const before = await Promise.all(dialled.map(pod => refusedBy(pod, counter)));
        for (const { host, answered, end } of await dialAll(caller, dialled)) {
          assert.ok(!answered, `${what} was answered by ${host}`);
          assert.notEqual(end, 'silent', `${host} keeps ${what} waiting`);
        }
        const more = await Promise.all(
          dialled.map(async (pod, index) => (await refusedBy(pod, counter)) - (before[index] ?? 0)),
        );
        t.diagnostic(`${what}: ${counter} ${more.map((count, index) => `${dialled[index]?.identity} +${count}`).join(', ')}`);
        assert.ok(
          more.every(count => count >= ATTEMPTS),
          `${what} is not counted as ${counter}`,
        );
      }
    });
    report(t, result);
    assert.ok(result.answers.length > 0);
    assert.deepEqual(result.failures, []);
  });
});

/** How many connections the Envoy of a pod has refused for this reason, on its mesh port. */
async function refusedBy({ metadata: { name } }: Pod, counter: string): Promise<number> {
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/${name}:15021/proxy/stats/prometheus`;
  const text = await kubectl(['get', '--raw', path]);
  const line = text
    .split('\n')
    .find(each => each.startsWith(`envoy_listener_ssl_${counter}{envoy_listener_address="0.0.0.0_50051"`));
  return Number(line?.split(' ').at(-1) ?? 0);
}
