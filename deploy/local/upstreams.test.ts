import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LabServiceService as Lab } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { waitUntil } from './wait.ts';

const CALLS = 30;
const soon = () => ({ deadline: deadlineIn(5000) });

describe('a mesh that is ready', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  /** A figure of the edge's about one pod of users. */
  async function edgeSays(address: string, figure: string): Promise<string | undefined> {
    const { text } = await sendHttp(`${mesh.pods('edge')[0]?.address}:15000`, { path: '/clusters' });
    return new RegExp(`^users::${address}:\\d+::${figure}::(.*)$`, 'm').exec(text)?.[1];
  }

  it('answers its very first call, also by a service with one pod', async () => {
    assert.ok((await mesh.client(Lab).listScenarios({}, soon())).scenarios.length > 0);
  });

  it('gives a new pod its calls as soon as the edge has found it well, and not a second later', async () => {
    const users = mesh.client(Users);
    const old = mesh.pods('users').map(({ name }) => name);
    await mesh.scale('users', old.length + 1);
    const fresh = mesh.pods('users').find(({ name }) => !old.includes(name));
    assert.ok(fresh);
    const isWell = async () => (await edgeSays(fresh.address, 'health_flags')) === 'healthy';
    assert.ok(await waitUntil(isWell, { timeoutMs: 5000, intervalMs: 5 }));
    for (let n = 0; n < CALLS; n++) await users.getUser({ id: 123 }, soon());
    assert.equal(Number(await edgeSays(fresh.address, 'rq_success')), CALLS / (old.length + 1));
  });
});
