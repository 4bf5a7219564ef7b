import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { meshControl } from './control.ts';
import { type KubernetesApi, localApi, noApi } from './kubernetes-api.ts';

describe('meshControl', () => {
  const { signal } = new AbortController();
  const seen: string[] = [];
  let folder: string;
  let answer = { code: 200, body: '{}' };
  let api: KubernetesApi;
  const server = createServer(async (request: IncomingMessage, response) => {
    const type = request.headers['content-type'];
    seen.push([request.method, request.url, type, await text(request)].filter(Boolean).join(' '));
    response.writeHead(answer.code).end(answer.body);
  });
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'telltale-api-'));
    const socket = join(folder, 'api.sock');
    await new Promise<void>(resolve => server.listen(socket, resolve));
    api = localApi(socket);
  });
  after(async () => {
    await new Promise(resolve => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  const core = '/api/v1/namespaces/telltale/pods';
  const apps = '/apis/apps/v1/namespaces/telltale/deployments';
  const pods = {
    items: [{ metadata: { name: 'users-1' }, status: { podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] } }],
  };

  it('makes the calls of the Kubernetes API, in its words', async () => {
    seen.length = 0;
    answer = { code: 200, body: JSON.stringify({ ...pods, spec: { replicas: 2 } }) };
    const control = meshControl(api);
    const [pod] = await control.pods('users', signal);
    assert.deepEqual(pod, { name: 'users-1', address: '10.0.0.1', ready: true, terminating: false });
    await control.killPod('users', 'users-1', signal);
    assert.equal(await control.replicas('users', signal), 2);
    await control.scale('users', 3, signal);
    await control.restart('orders', signal);
    const list = `GET ${core}?labelSelector=app.kubernetes.io%2Fname%3Dusers`;
    assert.deepEqual(seen.slice(0, 5), [
      list,
      list,
      `DELETE ${core}/users-1?gracePeriodSeconds=0`,
      `GET ${apps}/users/scale`,
      `PATCH ${apps}/users/scale application/merge-patch+json {"spec":{"replicas":3}}`,
    ]);
    assert.match(seen[5] ?? '', /^PATCH .*\/orders application\/merge-patch\+json .*kubectl\.kubernetes\.io\/restartedAt/);
  });

  it('touches no pod but those of the services: what is not theirs is never asked for', async () => {
    answer = { code: 200, body: JSON.stringify(pods) };
    const control = meshControl(api);
    seen.length = 0;
    for (const service of ['lab', 'edge', '../users', '']) {
      await assert.rejects(control.scale(service, 0, signal), { code: status.NOT_FOUND, reason: 'NOT_CONTROLLED' });
    }
    await assert.rejects(control.killPod('users', 'postgresql-0', signal), { code: status.NOT_FOUND });
    assert.deepEqual(
      seen.filter(call => !call.startsWith('GET')),
      [],
    );
  });

  it('says what the API has said: NOT_FOUND, PERMISSION_DENIED, else FAILED_PRECONDITION; UNAVAILABLE without one', async () => {
    const codes = {
      404: status.NOT_FOUND,
      403: status.PERMISSION_DENIED,
      422: status.FAILED_PRECONDITION,
      500: status.FAILED_PRECONDITION,
    };
    for (const [http, code] of Object.entries(codes)) {
      answer = { code: Number(http), body: JSON.stringify({ message: `says ${http}` }) };
      await assert.rejects(meshControl(api).replicas('users', signal), { code, message: `says ${http}` });
    }
    answer = { code: 502, body: '<html>' };
    await assert.rejects(meshControl(api).replicas('users', signal), { message: 'the Kubernetes API answered 502' });
    for (const none of [noApi, localApi(join(folder, 'none.sock'))]) {
      await assert.rejects(meshControl(none).replicas('users', signal), { code: status.UNAVAILABLE });
    }
  });
});
