import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makerOf, refusal } from './local-cluster.ts';

const local = { context: 'kind-telltale', server: 'https://127.0.0.1:41234' };

describe('refusal', () => {
  for (const [context, server] of [
    ['kind-telltale', 'https://127.0.0.1:41234'],
    ['kind-telltale', 'https://[::1]:41234'],
    ['minikube', 'https://192.168.49.2:8443'],
    ['k3d-dev', 'https://0.0.0.0:6550'],
    ['docker-desktop', 'https://kubernetes.docker.internal:6443'],
    ['rancher-desktop', 'https://127.0.0.1:6443'],
    ['orbstack', 'https://127.0.0.1:26443'],
    ['colima-work', 'https://172.16.3.4:6443'],
    ['microk8s', 'https://localhost:16443'],
  ] as const) {
    it(`allows ${context} at ${server}`, () => assert.equal(refusal({ context, server }, undefined), undefined));
  }

  for (const context of ['production', 'arn:aws:eks:eu-west-1:123:cluster/a', 'my-kind-cluster', 'kind-', 'minikube-like']) {
    it(`refuses ${context}, even at a loopback address, and says how to allow it`, () => {
      const refused = refusal({ ...local, context }, undefined) ?? '';
      assert.match(refused, /which is no context of kind, minikube/);
      assert.ok(refused.endsWith(`CLUSTER=${context}`), refused);
    });
  }

  for (const server of [
    'https://34.118.0.9:443',
    'https://k8s.example.com',
    'https://172.32.0.1:6443',
    'https://[2001:db8::1]:6443',
  ]) {
    it(`refuses a local name whose server is ${server}`, () =>
      assert.match(
        refusal({ ...local, server }, undefined) ?? '',
        /has the name of a local cluster, but its server is https:/,
      ));
  }

  it('allows any cluster that is asked for by its name, and only that one', () => {
    const remote = { context: 'staging', server: 'https://k8s.example.com' };
    assert.equal(refusal(remote, 'staging'), undefined);
    assert.match(refusal(remote, 'any') ?? '', /points at "staging", not at "any"/);
    assert.match(refusal(local, 'staging') ?? '', /points at "kind-telltale", not at "staging"/);
  });
});

describe('makerOf', () => {
  it('knows what made a cluster by the name of its context', () => {
    assert.equal(makerOf(local), 'kind');
    assert.equal(makerOf({ ...local, context: 'docker-for-desktop' }), 'Docker Desktop');
    assert.equal(makerOf({ ...local, context: 'staging' }), undefined);
  });
});
