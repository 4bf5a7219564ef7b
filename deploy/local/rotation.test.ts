import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import type { SecureClientSessionOptions } from 'node:http2';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { type Authority, createAuthority, type Leaf } from '../../services/issuer/authority.ts';
import { AUTHORITY_SECRET, secretOf } from '../../services/issuer/policy.ts';
import { runRenewal } from '../../services/issuer/run-renewal.ts';
import type { FileChanges, Files } from '../../services/issuer/store.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { type KubeObject, ofKind } from './manifest.ts';
import type { PodView } from './mesh.ts';
import { callPod, certificateOf, HEALTH_CHECK, isAnswered, leafFor, tlsBy } from './testing-caller.ts';
import { sendHttp } from './testing-http.ts';
import { latencyMs, loadWhile } from './testing-load.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { counted, handshakesOf, processesOf } from './testing-processes.ts';
import { waitUntil } from './wait.ts';

const RATE = 100;
const ROTATIONS = 10;
/** The calls that a connection between two Envoys gets before another one takes its place, so that there are handshakes all the time. */
const CALLS_PER_CONNECTION = 20;

const halfOf = (text = '') => text.slice(0, text.length / 2);

/** Has the Envoys replace their connections to one another all the time. */
function withShortConnections(objects: KubeObject[]): KubeObject[] {
  const short = `common_http_protocol_options: {max_requests_per_connection: ${CALLS_PER_CONNECTION}}`;
  for (const { metadata, data = {} } of ofKind(objects, 'ConfigMap')) {
    const text = data['envoy.yaml'];
    if (text === undefined) continue;
    data['envoy.yaml'] = text.replace(/^( +)(explicit_http_config:\n(?:\1 .+\n)+)(?= *# Mutual TLS)/gm, `$1${short}\n$1$2`);
    assert.equal(
      data['envoy.yaml'] !== text,
      text.includes('UpstreamTlsContext'),
      `${metadata.name} has connections to shorten`,
    );
  }
  return objects;
}

describe('at 100 calls a second over connections of 20 calls', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh({ transform: withShortConnections });
    mesh.identities.close(); // what changes is what the test changes
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const envoys = () => [...mesh.all(), ...mesh.pods('edge')];
  const read = (secret: string) => mesh.identities.store.read(secret);
  const change = async (name: string, changes: FileChanges) =>
    mesh.identities.store.write(secretOf(name), changes, (await read(secretOf(name))).version);

  /** Calls by the edge, without any retry, as long as something happens. */
  async function load(during: () => Promise<unknown>, t?: TestContext): Promise<void> {
    const [users, storefront] = [mesh.client(Users), mesh.client(Storefront)];
    const options = () => ({ deadline: deadlineIn(5000), metadata: scriptMetadata([], undefined, 'no-retry') });
    const call = (n: number) =>
      n % 2 === 0 ? users.getUser({ id: 123 }, options()) : storefront.getProfile({ userId: 123, orderLimit: 1 }, options());
    const handshakes = async () => {
      const each = await Promise.all(mesh.all().map(({ address }) => handshakesOf(address)));
      return each.reduce((sum, { all }) => sum + all, 0);
    };
    const [processes, before] = [processesOf(mesh), await handshakes()];
    const load = await loadWhile(wait(500).then(during), RATE, call);
    const { calls, failures } = load;
    const [p50, p99] = [0.5, 0.99].map(q => latencyMs(load, q).toFixed(0));
    const made = (await handshakes()) - before;
    t?.diagnostic(`${failures.length} of ${calls} calls failed, ${made} handshakes; p50 ${p50} ms, p99 ${p99} ms`);
    assert.deepEqual(failures, []);
    assert.ok(made > calls / CALLS_PER_CONNECTION, `only ${made} handshakes`);
    assert.deepEqual(processesOf(mesh), processes);
  }

  /** Resolves when every Envoy uses these certificates, its own or an authority's, for the handshakes to come. */
  async function untilUsed(certificateFor: (name: string) => string): Promise<void> {
    for (const { name, address } of envoys()) {
      const { serialNumber } = new X509Certificate(certificateFor(name.split('-')[0] ?? ''));
      const serial = new RegExp(`"0*${serialNumber.replace(/^0+/, '')}"`, 'i');
      const uses = async () => serial.test((await sendHttp(`${address}:15000`, { path: '/certs' })).text);
      assert.ok(await waitUntil(uses, { timeoutMs: 10_000 }), `${name} does not use ${serial}`);
    }
  }

  /** Gives everybody a new leaf by `authority`, and returns the certificates by name. */
  async function replaceLeaves(authority: Authority): Promise<Map<string, string>> {
    const certificates = new Map<string, string>();
    for (const name of mesh.identities.policy.names) {
      const leaf = await leafFor(name, authority);
      await change(name, { 'tls.crt': leaf.certificate, 'tls.key': leaf.key });
      certificates.set(name, leaf.certificate);
    }
    return certificates;
  }

  /** A caller with a leaf by `authority` that trusts these. */
  const caller = async (authority: Authority, ...trusted: string[]) =>
    tlsBy(await leafFor('check', authority), [authority.certificate, ...trusted].join(''));
  const answers = async (tls: SecureClientSessionOptions) => {
    for (const pod of mesh.all()) assert.equal((await callPod(pod, HEALTH_CHECK, tls)).grpcStatus, status.OK, pod.name);
  };

  it('ten rotations of every leaf fail no call and end no process, and each is in use at once', async t => {
    const authority = await mesh.authority();
    const check = await caller(authority);
    await load(async () => {
      for (let rotation = 0; rotation < ROTATIONS; rotation++) {
        const fresh = await replaceLeaves(authority);
        await untilUsed(name => fresh.get(name) ?? '');
        for (const pod of mesh.all()) {
          const name = pod.name.split('-')[0] ?? '';
          assert.equal(await certificateOf(pod, check), new X509Certificate(fresh.get(name) ?? '').serialNumber);
        }
        await wait(500); // for handshakes between the Envoys, too
      }
    }, t);
  });

  it('a change of the authority fails no call and ends no process, and the old one is trusted no more', async t => {
    const { store, policy, renew } = mesh.identities;
    const old = await mesh.authority();
    const log = { info: () => {} };
    await load(async () => {
      await renew(true);
      const { 'next.crt': next = '' } = (await read(AUTHORITY_SECRET)).files;
      await untilUsed(() => next);
      // in a cluster a later run goes on, when kubelets have had the time
      await runRenewal({ store, policy: { ...policy, settleMinutes: 0 }, log });
      const fresh = await mesh.authority();
      assert.equal(fresh.certificate, next);
      const leaves = new Map<string, string>();
      for (const name of policy.names) leaves.set(name, (await read(secretOf(name))).files['tls.crt'] ?? '');
      for (const leaf of leaves.values()) assert.ok(new X509Certificate(leaf).verify(new X509Certificate(next).publicKey));
      await untilUsed(name => leaves.get(name) ?? '');
      await answers(await caller(old, next));
      // and as soon as no leaf of the old one can be valid any more:
      for (const name of policy.names) await change(name, { 'ca.crt': next });
      const oldCaller = await caller(old, next);
      const refused = async (pod: PodView) => !(await isAnswered(pod, oldCaller));
      for (const pod of mesh.all()) assert.ok(await waitUntil(() => refused(pod), { timeoutMs: 5000 }), pod.name);
      await answers(await caller(fresh));
      await wait(1000);
    }, t);
  });

  /** What a store may come to hold when somebody writes half of something, or the halves of two; of the identity or of the trust. */
  const broken: Record<string, [what: 'identity' | 'trust', changes: (good: Files, other: Leaf) => FileChanges]> = {
    'half a certificate': ['identity', good => ({ 'tls.crt': halfOf(good['tls.crt']) })],
    'half a key': ['identity', good => ({ 'tls.key': halfOf(good['tls.key']) })],
    'the key of another certificate': ['identity', (_, { key }) => ({ 'tls.key': key })],
    'half a bundle': ['trust', good => ({ 'ca.crt': halfOf(good['ca.crt']) })],
  };
  for (const [title, [what, changes]] of Object.entries(broken)) {
    it(`${title} is counted and not taken: the last good one stays in use until the next comes, and no call fails`, async t => {
      const authority = await mesh.authority();
      const check = await caller(authority);
      const { files: good } = await read(secretOf('users'));
      const inUse = new X509Certificate(good['tls.crt'] ?? '').serialNumber;
      const metric = `envoy_sds_key_rotation_failed{envoy_xds_resource_name="${what}"}`;
      const failed = () => Promise.all(mesh.pods('users').map(({ address }) => counted(address, metric)));
      await load(async () => {
        const before = await failed();
        await change('users', changes(good, await leafFor('users', authority)));
        const rose = async () => (await failed()).every((count, n) => count > (before[n] ?? 0));
        assert.ok(await waitUntil(rose, { timeoutMs: 10_000 }), 'nobody counted it');
        for (const pod of mesh.pods('users')) assert.equal(await certificateOf(pod, check), inUse);
        await answers(check);
        await wait(500); // for handshakes between the Envoys, too
        await mesh.identities.renew(); // as the issuer does by itself
        const counts = await failed();
        const fresh = await replaceLeaves(authority);
        await untilUsed(name => fresh.get(name) ?? '');
        await answers(check);
        assert.deepEqual(await failed(), counts); // the control: what is good is not counted
      }, t);
    });
  }

  it('without the step in which everybody learns to trust it, the control, a change fails calls', async () => {
    const stranger = await createAuthority({ now: new Date(), days: 1 });
    await assert.rejects(
      load(async () => {
        await replaceLeaves(stranger);
        await wait(2000);
      }),
      /no healthy upstream|remote connection failure|CERTIFICATE/,
    );
  });
});
