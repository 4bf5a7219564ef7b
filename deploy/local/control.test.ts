import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type Control, serveControl } from './control.ts';
import { controlClient } from './control-client.ts';
import type { Deployment } from './deployment.ts';
import type { Deployments } from './deployments.ts';
import type { DeploymentView, PodObject } from './kube-objects.ts';
import type { statusOf } from './kube-status.ts';
import { deployment, type TestFolder, testFolder } from './testing-chart.ts';
import { runObjects } from './testing-deployments.ts';

const pods = '/api/v1/namespaces/telltale/pods';
const deployments = '/apis/apps/v1/namespaces/telltale/deployments';
interface PodList {
  kind: string;
  items: PodObject[];
}

type Status = ReturnType<typeof statusOf>;

const mergePatch = 'application/merge-patch+json';

describe('the control API', () => {
  let folder: TestFolder;
  let running: Deployments & AsyncDisposable;
  let control: Control;
  let users: Deployment;
  before(async () => {
    folder = testFolder();
    const object = (name: string) => deployment(name, 1, { containers: [folder.container('app', 8082)] });
    running = await runObjects(folder, [object('users'), object('orders'), object('edge')]);
    users = running.deployments.get('users') as Deployment;
    control = await serveControl(folder.paths.socket, running.deployments);
    for (const kept of running.deployments.values()) assert.ok(await kept.whenComplete(20_000));
  });
  after(async () => {
    await control.close();
    await running[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  async function call<Body>(
    method: string,
    path: string,
    body?: string,
    type = mergePatch,
  ): Promise<{ code: number | undefined; body: Body }> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = body === undefined ? {} : { 'content-type': type };
    request({ socketPath: folder.paths.socket, method, path, headers }, resolve).on('error', reject).end(body);
    const response = await promise;
    return { code: response.statusCode, body: (await json(response)) as Body };
  }

  it('is for its owner only', () => {
    assert.equal(statSync(folder.paths.socket).mode & 0o777, 0o600);
  });

  it('lists pods, all or those with a label, in the shape of Kubernetes', async () => {
    const all = await call<PodList>('GET', pods);
    assert.deepEqual([all.code, all.body.kind, all.body.items.length], [200, 'PodList', 3]);
    const { body } = await call<PodList>('GET', `${pods}?labelSelector=app.kubernetes.io/name%3Dusers`);
    const [pod] = body.items;
    assert.equal(body.items.length, 1);
    assert.equal(pod?.status.podIP, users.pods[0]?.address);
    assert.deepEqual(pod?.status.conditions, [{ type: 'Ready', status: 'True' }]);
    assert.equal(pod?.status.containerStatuses[0]?.containerID, `process://${users.pods[0]?.containers[0]?.pid}`);
  });

  it('shows Deployments with their progress, and their scale', async () => {
    const { body } = await call<DeploymentView>('GET', `${deployments}/users`);
    const { replicas, updatedReplicas, readyReplicas, terminatingReplicas } = body.status;
    assert.deepEqual([replicas, updatedReplicas, readyReplicas, terminatingReplicas], [1, 1, 1, 0]);
    assert.equal((await call<{ items: DeploymentView[] }>('GET', deployments)).body.items.length, 3);
    const scale = await call<{ kind: string; spec: { replicas: number } }>('GET', `${deployments}/users/scale`);
    assert.deepEqual([scale.body.kind, scale.body.spec.replicas], ['Scale', 1]);
  });

  it('deletes a pod, at once when asked to', async () => {
    const name = users.pods[0]?.name ?? '';
    const { code, body } = await call<PodObject>('DELETE', `${pods}/${name}?gracePeriodSeconds=0`);
    assert.equal(code, 200);
    assert.ok(body.metadata.deletionTimestamp);
    assert.ok(await users.whenComplete(20_000));
    assert.equal((await call('GET', `${pods}/${name}`)).code, 404);
  });

  it('scales and restarts for its client, and the client sees the end', async () => {
    const client = controlClient(folder.paths);
    await client.scale('users', 2);
    assert.ok(await users.whenComplete(20_000));
    const before = (await client.pods()).map(({ metadata }) => metadata.name);
    await client.restart('users');
    assert.ok(await users.whenComplete(20_000));
    const kept = (await client.pods()).filter(({ metadata }) => before.includes(metadata.name));
    assert.deepEqual(kept.map(({ metadata }) => metadata.name.split('-')[0]).sort(), ['edge', 'orders']);
    await assert.rejects(client.scale('edge', 2), /one pod only/);
  });

  const refused: [name: string, method: string, path: string, code: number, body?: string, type?: string][] = [
    ['an unknown pod', 'DELETE', `${pods}/none`, 404],
    ['an unknown Deployment', 'GET', `${deployments}/none`, 404],
    ['an unknown resource', 'GET', '/api/v1/namespaces/telltale/secrets', 404],
    ['another namespace', 'GET', '/api/v1/namespaces/default/pods', 404],
    ['a resource in the wrong group', 'GET', '/api/v1/namespaces/telltale/deployments', 404],
    ['a method that is not answered', 'POST', pods, 405, '{}'],
    ['a selector that is none', 'GET', `${pods}?labelSelector=a+in+(b)`, 400],
    ['a grace period that is none', 'DELETE', `${pods}/users`, 404],
    ['a patch that is not JSON', 'PATCH', `${deployments}/users/scale`, 400, '{'],
    ['a patch that is no object', 'PATCH', `${deployments}/users/scale`, 400, 'null'],
    ['a patch of another type', 'PATCH', `${deployments}/users/scale`, 415, '[]', 'application/json-patch+json'],
    ['a patch that is too long', 'PATCH', `${deployments}/users/scale`, 413, ' '.repeat(70_000)],
    ['no replicas', 'PATCH', `${deployments}/users/scale`, 422, '{}'],
    ['replicas that are no count', 'PATCH', `${deployments}/users/scale`, 422, '{"spec":{"replicas":1.5}}'],
    ['too many replicas', 'PATCH', `${deployments}/users/scale`, 422, '{"spec":{"replicas":51}}'],
    ['two edges', 'PATCH', `${deployments}/edge/scale`, 422, '{"spec":{"replicas":2}}'],
    ['a change of the template', 'PATCH', `${deployments}/users`, 422, '{"spec":{"template":{}}}'],
  ];
  for (const [name, method, path, code, body, type] of refused) {
    it(`refuses ${name} with ${code} and a Status`, async () => {
      const found = await call<Status>(method, path, body, type);
      assert.deepEqual([found.code, found.body.kind, found.body.code, found.body.status], [code, 'Status', code, 'Failure']);
      assert.ok(found.body.reason && found.body.message);
    });
  }
});
