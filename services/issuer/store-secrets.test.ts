import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { identityOf } from '../kit/identity.ts';
import { createAuthority, issueLeaf } from './authority.ts';
import { ConflictError } from './store.ts';
import { type KubernetesApi, secretStore } from './store-secrets.ts';
import { startApi, type TestApi, TOKEN } from './testing-kubernetes.ts';
import { testStore } from './testing-store.ts';

describe('secretStore', () => {
  let api: TestApi | undefined;
  afterEach(() => api?.close());

  const storeOf = (more: Partial<KubernetesApi> = {}) =>
    secretStore({ url: api?.url ?? '', namespace: 'mesh', token: async () => `${TOKEN}\n`, retryMs: [1, 1], ...more });
  const open = async () => {
    api = await startApi(['one', 'other']);
    return { api, store: storeOf() };
  };

  testStore(async () => (await open()).store);

  it('asks for nothing but to get and patch Secrets by name', async () => {
    const { api, store } = await open();
    await store.write('one', { a: '1' }, (await store.read('one')).version);
    const path = '/api/v1/namespaces/mesh/secrets/one';
    assert.deepEqual(api.requests, [`GET ${path}`, `PATCH ${path} application/merge-patch+json`]);
    assert.deepEqual(api.secrets.get('one'), { a: Buffer.from('1').toString('base64') });
  });

  it('asks again when there is no answer, or one that will pass', async () => {
    const { api, store } = await open();
    api.next.push('hang up', 503);
    assert.deepEqual((await store.read('one')).files, {});
    api.next.push(429);
    assert.deepEqual((await store.read('one')).files, {});
    assert.equal(api.requests.length, 5);
  });

  it('takes the conflict of a patch that has been made, but whose answer was lost, for a conflict', async () => {
    const { store, api } = await open();
    const { version } = await store.read('one');
    api.next.push(500, 409);
    await assert.rejects(store.write('one', { a: '1' }, version), ConflictError);
  });

  it('says what is wrong, and how to mend it', async () => {
    const { api, store } = await open();
    await assert.rejects(store.read('none'), /^Error: the Secret none in the namespace mesh is not there; the chart makes it/);
    await assert.rejects(storeOf({ token: async () => 'x' }).read('one'), /the token of the ServiceAccount is not accepted/);
    const rows: [next: TestApi['next'], says: RegExp][] = [
      [[403], /Secret one .*: GET is forbidden; the Role "issuer" must allow get and patch of it by name/],
      [[422], /Secret one .*: GET is answered with 422: "planned 422"/],
      [[503, 503, 503], /GET is answered with 503: "planned 503"/],
      [['hang up', 'hang up', 'hang up'], /the Kubernetes API at http:.* does not answer: ECONNRESET; check that this pod may/],
    ];
    for (const [next, says] of rows) {
      api.next.push(...next);
      await assert.rejects(store.read('one'), says);
    }
    api.close();
    await assert.rejects(store.read('one'), /does not answer: ECONNREFUSED/);
  });

  it('trusts no API but the one that the certificate of the pod vouches for', async () => {
    const authority = await createAuthority({ now: new Date(), days: 1 });
    const identity = identityOf('mesh', 'api');
    const { certificate: cert, key } = await issueLeaf(authority, {
      identity,
      now: new Date(),
      hours: 1,
      dnsNames: ['localhost'],
    });
    api = await startApi(['one'], { cert, key });
    assert.deepEqual((await storeOf({ ca: authority.certificate }).read('one')).files, {});
    const other = await createAuthority({ now: new Date(), days: 1 });
    await assert.rejects(storeOf({ ca: other.certificate }).read('one'), /does not answer: UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
    assert.equal(api.requests.length, 1, 'the token has been shown to somebody else');
  });
});
