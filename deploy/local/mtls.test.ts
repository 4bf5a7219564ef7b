import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { SecureClientSessionOptions } from 'node:http2';
import { connect, createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { type Authority, createAuthority, issueLeaf } from '../../services/issuer/authority.ts';
import { secretOf } from '../../services/issuer/policy.ts';
import type { Files } from '../../services/issuer/store.ts';
import type { Client } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { identityOf } from '../../services/kit/identity.ts';
import { namespace } from './manifest.ts';
import type { PodView } from './mesh.ts';
import { runPaths } from './paths.ts';
import { callPod, HEALTH_CHECK, isAnswered, leafFor, tlsBy } from './testing-caller.ts';
import { sendHttp } from './testing-http.ts';
import { loadWhile } from './testing-load.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { counted, countedByEdge, handshakesOf } from './testing-processes.ts';
import { waitUntil } from './wait.ts';

const HOUR_MS = 3_600_000;
/** How often each caller tries each pod. */
const ATTEMPTS = 3;
/** The calls a second of those who may, meanwhile. */
const RATE = 10;
const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS);

/** A client that speaks TLS 1.1 and nothing newer. */
const TLS_1_1 = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;

describe('the mesh port of every pod', () => {
  let mesh: TestMesh;
  let users: Client<typeof Users>;
  let authority: Authority;
  let allowed: SecureClientSessionOptions;
  before(async () => {
    mesh = await startTestMesh();
    authority = await mesh.authority();
    users = mesh.client(Users);
    allowed = tlsBy(await leafFor('check', authority), authority.certificate);
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  /** What those do beside it who may. */
  const checkHealth = async (pod: PodView) => {
    const { grpcStatus } = await callPod(pod, HEALTH_CHECK, allowed);
    assert.equal(grpcStatus, status.OK);
  };
  /** By the edge and its Envoy, which must not hide by a second attempt what a first has lost. */
  const getUser = () =>
    users.getUser({ id: 123 }, { deadline: deadlineIn(5000), metadata: scriptMetadata([], undefined, 'no-retry') });

  it('is called by Envoys, which speak TLS 1.3 and nothing older with one another', async t => {
    const { calls, failures } = await loadWhile(mesh.restart('users'), RATE, getUser); // so that there are handshakes under load, too
    assert.deepEqual(failures, []);
    assert.ok(calls > 0);
    for (const pod of mesh.all()) {
      const made = await handshakesOf(pod.address);
      t.diagnostic(`${pod.name}: ${JSON.stringify(made)}`);
      assert.ok(made.all > 0, pod.name);
      assert.deepEqual(made, { all: made.all, 'TLSv1.2': 0, 'TLSv1.3': made.all }, pod.name);
    }
  });

  it('accepts the right certificate, the control, by TLS 1.2 and 1.3, and counts each', async () => {
    for (const pod of mesh.all()) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const before = await handshakesOf(pod.address);
        const { grpcStatus } = await callPod(pod, HEALTH_CHECK, { ...allowed, minVersion: version, maxVersion: version });
        assert.equal(grpcStatus, status.OK, `${pod.name} by ${version}`);
        assert.ok((await handshakesOf(pod.address))[version] > before[version], `${pod.name} by ${version}`);
      }
    }
  });

  /** By what an ingress counts that it refused somebody, and what that one shows; `undefined` for one that speaks plain text. */
  const callers: Record<string, [counter: string, caller: () => Promise<SecureClientSessionOptions | undefined>]> = {
    'no certificate': ['fail_verify_no_cert', async () => tlsBy({}, authority.certificate)],
    "another authority's certificate": [
      'fail_verify_error',
      async () => {
        const other = await createAuthority({ now: new Date(), days: 1 });
        return tlsBy(await leafFor('check', other), authority.certificate);
      },
    ],
    'the certificate of another namespace': [
      'fail_verify_san',
      async () => {
        const identity = identityOf(`${namespace}-2`, 'check');
        return tlsBy(await issueLeaf(authority, { identity, now: new Date(), hours: 1 }), authority.certificate);
      },
    ],
    'a certificate that a leaf has signed': [
      'fail_verify_error',
      async () => {
        const leaf = await leafFor('check', authority);
        const { certificate, key } = await leafFor('check', leaf);
        return tlsBy({ certificate: certificate + leaf.certificate, key }, authority.certificate);
      },
    ],
    'a certificate that has expired': [
      'fail_verify_error',
      async () => tlsBy(await leafFor('check', authority, hoursAgo(1.001)), authority.certificate),
    ],
    'a certificate that is not yet valid': [
      'fail_verify_error',
      async () => tlsBy(await leafFor('check', authority, hoursAgo(-0.1)), authority.certificate),
    ],
    'TLS 1.1': ['connection_error', async () => ({ ...allowed, ...TLS_1_1 })],
    'plain text': ['connection_error', async () => undefined],
  };
  for (const [what, [counter, caller]] of Object.entries(callers)) {
    it(`refuses ${what}, and fails no call beside it`, async () => {
      const tls = await caller();
      const metric = ({ address }: PodView) => `envoy_listener_ssl_${counter}{envoy_listener_address="${address}_50051"}`;
      const refuse = async (pod: PodView) => {
        const before = await counted(pod.address, metric(pod));
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
          assert.equal(await isAnswered(pod, tls), false, pod.name);
        }
        assert.ok((await counted(pod.address, metric(pod))) >= before + ATTEMPTS, `${pod.name} did not count it as ${counter}`);
      };
      const pods = mesh.all();
      const { calls, failures } = await loadWhile(Promise.all(pods.map(refuse)), RATE, async n => {
        await checkHealth(pods[n % pods.length] as PodView);
        await getUser();
      });
      assert.ok(calls > 0);
      assert.deepEqual(failures, []);
    });
  }

  it('keeps every key in its folder, for its owner only, and nowhere else', async () => {
    const { dir, identities } = runPaths(mesh.runDir);
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
    const keys = files.filter(({ parentPath, name }) => parentPath.startsWith(identities) && name.endsWith('.key'));
    const secrets = keys.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8').split('\n')[1] ?? '');
    assert.ok(secrets.length > mesh.identities.policy.names.length && secrets.every(text => text.length === 64));
    const dumps = [...mesh.all(), ...mesh.pods('edge')].map(async ({ name, address }) => {
      const { text } = await sendHttp(`${address}:15000`, { path: '/config_dump' });
      assert.ok(text.includes('tls_certificate_sds_secret_configs'), name);
      return text;
    });
    const others = files.filter(({ parentPath }) => !parentPath.startsWith(identities));
    const texts = [
      ...others.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8')),
      ...(await Promise.all(dumps)),
    ];
    for (const text of texts) assert.ok(!secrets.some(secret => text.includes(secret)) && !text.includes('PRIVATE KEY'));
  });

  it('refused TLS 1.1 itself: the same client reaches a server that allows it', async () => {
    const { certificate: cert, key } = await leafFor('users', authority);
    const server = createSecureServer({ cert, key, ...TLS_1_1 }, (_request, response) => response.end());
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const session = connect(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, { ...allowed, ...TLS_1_1 });
    try {
      await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject));
    } finally {
      session.destroy();
      server.close();
    }
  });
});

describe("a caller's Envoy", () => {
  it('calls no pod that has the identity of another service, until it has its own', async () => {
    await using mesh = await startTestMesh();
    mesh.identities.close(); // it would put right within a minute what is made wrong here
    const { store } = mesh.identities;
    const users = secretOf('users');
    const show = async (files: Files) => store.write(users, files, (await store.read(users)).version);
    const ask = () => mesh.client(Users).getUser({ id: 123 }, { deadline: deadlineIn(1000) });
    const own = (await store.read(users)).files;
    const { certificate, key } = await leafFor('payments', await mesh.authority());

    await show({ 'tls.crt': certificate, 'tls.key': key });
    await mesh.restart('users'); // the connections that there were go with the pods
    await assert.rejects(ask(), { code: status.UNAVAILABLE });
    assert.ok((await countedByEdge(mesh, 'envoy_cluster_ssl_fail_verify_san{envoy_cluster_name="users"}')) > 0);

    await show(own);
    assert.ok(
      await waitUntil(
        () =>
          ask().then(
            () => true,
            () => false,
          ),
        { timeoutMs: 10_000 },
      ),
    );
  });
});

it('with mtls: false, the control, the mesh port of every pod answers plain text', async () => {
  await using mesh = await startTestMesh({ values: ['--set', 'mtls=false'] });
  for (const pod of mesh.all()) assert.equal((await callPod(pod, HEALTH_CHECK)).grpcStatus, status.OK, pod.name);
});
