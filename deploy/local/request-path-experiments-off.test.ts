import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { RUN_KEY, SCRIPT_KEY, scriptMetadata } from '../../services/kit/experiment.ts';
import type { Deployment, KubeObject } from './manifest.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

/** Lets the apps honour experiments all the same, so that whatever gets past the edge has an effect. */
function honourExperiments(objects: KubeObject[]): KubeObject[] {
  const containers = objects
    .filter((object): object is Deployment => object.kind === 'Deployment')
    .flatMap(({ spec }) => spec.template.spec.containers);
  for (const { env = [] } of containers) {
    for (const variable of env) if (variable.name === 'TELLTALE_EXPERIMENTS') variable.value = 'true';
  }
  return objects;
}

describe('the edge with experiments off', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh({ values: ['--set', 'experiments=false'], transform: honourExperiments });
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const failing = (run: string) =>
    scriptMetadata([{ service: 'users', fail: { code: status.DATA_LOSS, rate: 0 } }], run, 'no-retry');

  it('strips the script, the run and the policy of a call: it succeeds and leaves no record', async () => {
    const options = { deadline: deadlineIn(5000), metadata: failing('stripped-grpc') };
    assert.deepEqual(await mesh.client(Users).getUser({ id: 123 }, options), { id: 123, name: 'Alice', age: 30 });
    const script = (failing('').get(SCRIPT_KEY)[0] as Buffer).toString('base64');
    const headers = { [RUN_KEY]: 'stripped-json', [SCRIPT_KEY]: script };
    assert.equal((await sendHttp(mesh.edge, { path: '/api/users/123', headers })).status, 200);

    // the control: what reaches an app by another way is done, and on record
    const control = { deadline: deadlineIn(5000), metadata: failing('stripped-not') };
    await assert.rejects(mesh.client(Users, mesh.pods('storefront')[0]).getUser({ id: 123 }, control), {
      code: status.DATA_LOSS,
    });
    const runs = (await mesh.records('stripped', 1)).map(({ run }) => run);
    assert.deepEqual(runs, ['stripped-not']);
  });
});
