import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Authority, issueLeaf } from '../../services/issuer/authority.ts';
import { identityOf } from '../../services/kit/identity.ts';
import { CALLEES, CALLERS, declared, isAllowed, PATHS, sentence, values } from '../local/testing-access.ts';
import { authority, podsWithIdentity } from './identities.ts';
import { NAMESPACE } from './kubectl.ts';
import type { TlsOptions } from './node-asks.ts';
import { type NodePod, startNodePod } from './node-pod.ts';

describe('over the mesh of the cluster', () => {
  let node: NodePod;
  let pods: Awaited<ReturnType<typeof podsWithIdentity>>;
  let signer: Authority;
  before(async () => {
    node = await startNodePod();
    signer = await authority();
    pods = await podsWithIdentity();
  });
  after(() => node?.[Symbol.asyncDispose]());

  const tlsAs = async (caller: string): Promise<TlsOptions> => {
    const { certificate, key } = await issueLeaf(signer, {
      identity: identityOf(NAMESPACE, caller),
      now: new Date(),
      hours: 1,
    });
    return { cert: certificate, key, ca: signer.certificate };
  };

  it('each identity may call what values.yaml says, and nothing else of any method of any service, at every pod', async t => {
    const called = pods.filter(({ identity }) => CALLEES.includes(identity));
    assert.deepEqual([...new Set(called.map(({ identity }) => identity))].sort(), [...CALLEES].sort());
    let allowed = 0;
    for (const { identity, metadata, status } of called) {
      const host = status.podIP ?? '';
      const answers = await node.call(
        await Promise.all(CALLERS.map(async caller => ({ host, tls: await tlsAs(caller), paths: PATHS }))),
      );
      const can = answers.flatMap((ofCaller, n) =>
        ofCaller.flatMap((answer, path) => (isAllowed(answer) ? sentence(CALLERS[n] ?? '', identity, PATHS[path] ?? '') : [])),
      );
      assert.equal(answers.flat().length, CALLERS.length * PATHS.length);
      assert.deepEqual(can.sort(), declared([identity]), metadata.name);
      allowed += can.length;
    }
    t.diagnostic(`${allowed} of ${called.length * CALLERS.length * PATHS.length} are allowed, at ${called.length} pods`);
  });

  it('the database lets in those who store, and no other identity', async () => {
    const [database] = pods.filter(({ identity }) => identity === 'postgresql');
    assert.ok(database, 'there is no postgresql with an identity');
    const callers = [...CALLERS, 'postgresql'];
    const host = database.status.podIP ?? '';
    const dialled = await node.dial(await Promise.all(callers.map(async caller => ({ host, tls: await tlsAs(caller) }))));
    assert.equal(dialled.length, callers.length);
    assert.deepEqual(
      callers.filter((_, n) => dialled[n]?.answered),
      CALLEES.filter(name => values.services[name]?.stores),
    );
  });
});
