import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { createClient } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { loadImage } from '../cluster/load-image.ts';
import { currentCluster } from '../cluster/programs.ts';
import { repo } from '../local/paths.ts';
import { evaluateTiltfile, readTiltfile, type Tiltfile } from '../tilt/tiltfile.ts';
import { isReady, kubectl, kubectlJson, NAMESPACE, type Pod, portForward, until } from './kubectl.ts';

const run = promisify(execFile);
const name = 'live-update';
const source = 'services/users/users.ts';
const text = readFileSync(join(repo, source), 'utf8');

/** Builds the image as the Tiltfile says and brings it to the cluster; returns its name there. */
async function buildImage({ builds: [build] }: Tiltfile): Promise<string> {
  assert.ok(build);
  const image = `${build.ref}:${build.target}`;
  const env = { ...process.env, DOCKER_BUILDKIT: '1' };
  await run('docker', ['build', '-q', '-f', build.dockerfile, '--target', build.target, '-t', image, build.context], {
    cwd: repo,
    env,
  });
  return `${build.ref}:${await loadImage(image, await currentCluster())}`;
}

/** The pod of users as the Tiltfile has it, but alone: no Service and no budget counts it, and it asks for no CPU. */
function podOf({ objects }: Tiltfile, image: string): object {
  const users = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'users');
  const spec = structuredClone(users?.spec?.template?.spec);
  assert.ok(spec);
  const containers = spec.containers.map(container => ({ ...container, image }));
  for (const { resources } of [...containers, ...(spec.initContainers ?? [])]) delete resources?.requests;
  const metadata = { name, labels: { 'app.kubernetes.io/name': name } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...spec, containers, topologySpreadConstraints: [] } };
}

/** Does what Tilt does with an edited file: unpacks it in the running container, at the path that the Tiltfile has it synced to. */
async function copyIntoPod({ builds: [build] }: Tiltfile, edited: string): Promise<void> {
  const sync = build?.live_update.find(step => step.function === 'sync' && source.startsWith(`${step.local_path}/`));
  assert.ok(sync?.function === 'sync');
  const remote = posix.join(sync.remote_path, posix.relative(sync.local_path, source)).slice(1);
  const folder = mkdtempSync(join(tmpdir(), 'telltale-edit-'));
  try {
    mkdirSync(dirname(join(folder, remote)), { recursive: true });
    writeFileSync(join(folder, remote), edited);
    const { stdout: archive } = await run('tar', ['-C', folder, '-c', '-f', '-', remote], { encoding: 'buffer' });
    const unpack = ['-n', NAMESPACE, 'exec', '-i', name, '-c', 'app', '--', 'tar', '-C', '/', '-x', '-f', '-'];
    const unpacking = run('kubectl', unpack);
    unpacking.child.stdin?.end(archive);
    await unpacking;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The name of user 123, asked of the app itself; throws while it does not answer. */
async function alice(): Promise<string> {
  using forward = await portForward(`pod/${name}`, 50052);
  using client = createClient(UserServiceService, { address: forward.address });
  return (await client.getUser({ id: 123 }, { deadline: deadlineIn(1000) })).name;
}

const answers = (expected: string) => async () => (await alice().catch(() => undefined)) === expected;

/** The id of the container that runs users: another one would be without the edits. */
async function containerOf(): Promise<string | undefined> {
  const { status } = await kubectlJson<{ status: { containerStatuses: { name: string; containerID: string }[] } }>(
    'get',
    'pod',
    name,
  );
  return status.containerStatuses.find(container => container.name === 'app')?.containerID;
}

describe('a live update', () => {
  let tiltfile: Tiltfile;

  before(async () => {
    tiltfile = await evaluateTiltfile(readTiltfile(), { NAMESPACE });
    const image = await buildImage(tiltfile);
    await kubectl(['delete', 'pod', name, '--ignore-not-found', '--now']);
    await kubectl(['apply', '-f', '-'], JSON.stringify(podOf(tiltfile, image)));
    await until(`${name} is ready`, 120_000, async () => isReady(await kubectlJson<Pod>('get', 'pod', name)));
  });
  after(() => kubectl(['delete', 'pod', name, '--ignore-not-found', '--wait=false', '--grace-period=1']));

  it('brings edit after edit into the running container within 5 s, past a broken one', async t => {
    assert.equal(await alice(), 'Alice');
    const container = await containerOf();
    for (const edited of ['Alicia', 'Alina']) {
      const start = performance.now();
      await copyIntoPod(
        tiltfile,
        text.replace('return { ...user }', () => `return { ...user, name: '${edited}' }`),
      );
      await until(`users answers with ${edited}`, 5000, answers(edited));
      t.diagnostic(`${edited} after ${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
    await copyIntoPod(tiltfile, 'this is no TypeScript');
    await until('users has ended', 5000, async () => (await kubectl(['logs', name, '-c', 'app'])).includes('Failed running'));
    await copyIntoPod(tiltfile, text);
    await until('users answers as before', 5000, answers('Alice'));
    assert.equal(await containerOf(), container, 'the container is another one');
  });
});
