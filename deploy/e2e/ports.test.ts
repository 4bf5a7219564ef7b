import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { CALLEES, PATHS } from '../local/testing-access.ts';
import { podsWithIdentity } from './identities.ts';
import { type NodePod, startNodePod } from './node-pod.ts';

/** Who listens for its own pod only: the app, Envoy's admin interface, what leads to the upstreams, and to the database or is it. */
const OWN = [50052, 15000, 15001, 5432];
const STATS = 15021;
const METRICS = 9464;
const HEALTH = 8081;

describe('a pod of the cluster', () => {
  let node: NodePod;
  let pods: Awaited<ReturnType<typeof podsWithIdentity>>;
  before(async () => {
    node = await startNodePod();
    pods = await podsWithIdentity();
  });
  after(() => node?.[Symbol.asyncDispose]());

  const hosts = (those = pods) => those.map(({ status: { podIP = '' } }) => podIP);
  /** The pods that have an app of ours. */
  const apps = () => hosts(pods.filter(({ identity }) => CALLEES.includes(identity)));

  it("refuses connections to what is its own: the app, the egress, Envoy's admin interface and the database", async () => {
    const dials = hosts().flatMap(host => OWN.map(port => ({ host, port })));
    const dialled = await node.dial(dials);
    assert.equal(dialled.length, dials.length);
    for (const [n, { host, end }] of dialled.entries()) assert.equal(end, 'ECONNREFUSED', `${host}:${dials[n]?.port}`);
    // the control: the same client reaches what is for others, too
    for (const { host, answered, end } of await node.dial(hosts().map(host => ({ host, port: STATS }))))
      assert.ok(answered, `${host}:${STATS}: ${end}`);
  });

  it('answers readiness and metrics by GET, and nothing else at these ports', async () => {
    const right = [
      ...hosts().flatMap(host => ['/ready', '/stats/prometheus'].map(path => ({ host, port: STATS, path }))),
      ...apps().map(host => ({ host, port: METRICS, path: '/metrics' })),
    ];
    const answers = await node.ask(right);
    for (const [n, { host, port, path }] of right.entries()) assert.equal(answers[n], 200, `${host}:${port}${path}`);

    const admin = ['/', '/stats', '/config_dump', '/certs', '/clusters', '/quitquitquit', '/logging', '/ready/../config_dump'];
    const paths = ['/', '/metrics/', '/config', '/debug', '/metrics/../'];
    const wrong = [
      ...hosts().flatMap(host => admin.map(path => ({ host, port: STATS, path }))),
      ...hosts().flatMap(host =>
        ['/quitquitquit', '/healthcheck/fail'].map(path => ({ host, port: STATS, path, method: 'POST' })),
      ),
      ...apps().flatMap(host => paths.map(path => ({ host, port: METRICS, path }))),
    ];
    const refusals = await node.ask(wrong);
    for (const [n, { host, port, path }] of wrong.entries()) assert.equal(refusals[n], 404, `${host}:${port}${path}`);
  });

  it('answers health and no other method of any service at the port that the kubelet asks', async () => {
    const others = PATHS.filter(path => !path.startsWith('/grpc.health.'));
    const [health, answers] = await Promise.all(
      [['/grpc.health.v1.Health/Check'], others].map(paths => node.call(apps().map(host => ({ host, port: HEALTH, paths })))),
    );
    for (const { grpcStatus } of health?.flat() ?? []) assert.equal(grpcStatus, status.OK);
    assert.equal(health?.length, apps().length);
    for (const [n, ofPod] of (answers ?? []).entries())
      for (const [path, { grpcStatus }] of ofPod.entries())
        assert.equal(grpcStatus, status.UNIMPLEMENTED, `${apps()[n]}${others[path]}`);
  });
});
