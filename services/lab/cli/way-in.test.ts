import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { SUPERVISOR_FILE } from './local-run.ts';
import { findWayIn } from './way-in.ts';

describe('findWayIn', () => {
  const { PATH } = process.env;
  let folder: string;
  let nobody: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'telltale-way-in-'));
    nobody = await listening().then(async ({ address, close }) => {
      await close();
      return address;
    });
    process.env.PATH = folder;
  });
  after(async () => {
    process.env.PATH = PATH;
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    for (const name of ['kubectl', 'asked', SUPERVISOR_FILE]) await rm(join(folder, name), { force: true });
  });
  const runsAt = (edge: string) => writeFile(join(folder, SUPERVISOR_FILE), JSON.stringify({ pid: 1, edge }));

  async function listening() {
    const server = createServer(socket => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { address, close: () => new Promise(resolve => server.close(resolve)) };
  }
  /** A kubectl that points at a cluster and forwards the port of the edge that `namespace` has; notes what it was asked. */
  const kubectl = (context: string, server: string, namespace: string) =>
    writeFile(
      join(folder, 'kubectl'),
      `#!/bin/sh
echo "$*" >>${join(folder, 'asked')}
case "$*" in
  "config view"*) echo '${JSON.stringify({ 'current-context': context, clusters: [{ cluster: { server } }] })}' ;;
  "--namespace ${namespace} get service/edge"*) echo service/edge ;;
  "--namespace ${namespace} port-forward service/edge :8080") echo "Forwarding from 127.0.0.1:1234 -> 8080"; exec /bin/sleep 60 ;;
  *) echo "not found" >&2; exit 1 ;;
esac
`,
      { mode: 0o755 },
    );
  async function find(local: string, wanted = {}, namespace?: string) {
    const said: string[] = [];
    const surroundings = { runDir: folder, local, namespace };
    using way = await findWayIn(wanted, line => said.push(line), surroundings);
    return { address: way.address, said };
  }
  const LOCAL = ['kind-telltale', 'https://127.0.0.1:6443', 'telltale'] as const;

  it('takes who listens on this machine, and asks kubectl nothing', async () => {
    await kubectl(...LOCAL);
    const { address, close } = await listening();
    assert.deepEqual(await find(address), { address, said: [] });
    await close();
    await assert.rejects(readFile(join(folder, 'asked')), { code: 'ENOENT' });
  });

  it('goes to a local cluster when nobody listens, and says so', async () => {
    await kubectl(...LOCAL);
    const { address, said } = await find(nobody);
    assert.equal(address, '127.0.0.1:1234');
    assert.deepEqual(said, [`nobody listens at ${nobody}; by a port forward to namespace telltale of kind-telltale`]);
  });

  it('goes to no cluster that is not local, and to none without the release', async () => {
    await kubectl('production', 'https://127.0.0.1:6443', 'telltale');
    assert.deepEqual(await find(nobody), { address: nobody, said: [] });
    await kubectl('kind-telltale', 'https://203.0.113.1:6443', 'telltale');
    assert.deepEqual(await find(nobody), { address: nobody, said: [] });
    await kubectl('kind-telltale', 'https://127.0.0.1:6443', 'another');
    assert.deepEqual(await find(nobody), { address: nobody, said: [] });
  });

  it('stays on this machine when there is no kubectl, or an address was given', async () => {
    assert.deepEqual(await find(nobody), { address: nobody, said: [] });
    await kubectl(...LOCAL);
    assert.deepEqual(await find(nobody, { address: 'edge:80' }), { address: 'edge:80', said: [] });
  });

  it('goes to the namespace that it was told, and fails with what kubectl says', async () => {
    await kubectl('production', 'https://203.0.113.1:6443', 'mesh');
    assert.equal((await find(nobody, { namespace: 'mesh' })).address, '127.0.0.1:1234');
    await assert.rejects(find(nobody, { namespace: 'other' }), { name: 'CliError', message: /not found/ });
  });

  it('takes the local run before all else that was not asked for, wherever its edge is', async () => {
    const [run, other] = [await listening(), await listening()];
    await runsAt(run.address);
    assert.deepEqual(await find(other.address), { address: run.address, said: [] });
    assert.equal((await find(other.address, { address: 'edge:80' })).address, 'edge:80');
    await run.close();
    assert.deepEqual(await find(other.address), { address: other.address, said: [] }, 'a run that was killed');
    await other.close();
  });

  it('takes the local run, and not the cluster that the environment names, and says so', async () => {
    const run = await listening();
    await runsAt(run.address);
    const instead = 'instead: make lab NAMESPACE=mesh, or telltale --namespace mesh';
    assert.deepEqual(await find(nobody, {}, 'mesh'), {
      address: run.address,
      said: [`asking the local run at ${run.address}; to ask namespace mesh (NAMESPACE of the environment) ${instead}`],
    });
    await kubectl('kind-telltale', 'https://127.0.0.1:6443', 'mesh');
    assert.deepEqual(await find(nobody, {}, 'mesh'), {
      address: run.address,
      said: [`asking the local run at ${run.address}; to ask namespace mesh of kind-telltale ${instead}`],
    });
    assert.deepEqual(await find(nobody, { namespace: 'mesh' }, 'other'), { address: '127.0.0.1:1234', said: [] });
    await run.close();
  });

  it('says which it takes when both the local run and a cluster with the release are there', async () => {
    await kubectl(...LOCAL);
    const run = await listening();
    await runsAt(run.address);
    const { address, said } = await find(nobody);
    assert.equal(address, run.address);
    assert.deepEqual(said, [
      `asking the local run at ${run.address}; to ask namespace telltale of kind-telltale instead: make lab NAMESPACE=telltale, or telltale --namespace telltale`,
    ]);
    await kubectl('kind-telltale', 'https://127.0.0.1:6443', 'another');
    assert.deepEqual((await find(nobody)).said, [], 'there is no release');
    await run.close();
  });

  it('goes to the namespace of the environment when nothing runs on this machine', async () => {
    await kubectl('kind-telltale', 'https://127.0.0.1:6443', 'mesh');
    const { address, said } = await find(nobody, {}, 'mesh');
    assert.equal(address, '127.0.0.1:1234');
    assert.deepEqual(said, [`nobody listens at ${nobody}; by a port forward to namespace mesh of kind-telltale`]);
  });
});
