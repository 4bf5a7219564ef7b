import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { RUN_KEY } from '../../services/kit/experiment.ts';
import { frame, rawCall } from '../../services/kit/testing-raw-call.ts';
import { request } from './testing-bad-calls.ts';
import { leafFor, tlsBy } from './testing-caller.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

/** So many header lines. */
const lines = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-line-${n}`, 'x']));
const value = (kilobytes: number) => ({ 'x-large': 'x'.repeat(kilobytes * 1024) });

/** Metadata of every size around the limits of the hops, and what grows with a hop. */
const SIZES: Record<string, Record<string, string>> = {
  ...Object.fromEntries([50, 70, 80, 90, 100, 110, 120, 130, 140, 200, 5000].map(count => [`${count} lines`, lines(count)])),
  ...Object.fromEntries([50, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 100, 1000].map(size => [`${size} KiB`, value(size)])),
  '95 lines of 600 bytes': Object.fromEntries(Object.keys(lines(95)).map(name => [name, 'x'.repeat(600)])),
};

describe('metadata that is sent to', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const hops: Record<
    string,
    () => Promise<Parameters<typeof rawCall>[3] extends infer Tls ? [address: string, tls?: Tls] : never>
  > = {
    'the edge': async () => [mesh.edge],
    'the egress of a sidecar': async () => [`${mesh.pods('storefront')[0]?.address}:15001`],
    'the ingress of a sidecar': async () => {
      const authority = await mesh.authority();
      const tls = tlsBy(await leafFor('storefront', authority), authority.certificate);
      return [`${mesh.pods('users')[0]?.address}:50051`, tls];
    },
  };

  for (const [hop, target] of Object.entries(hops)) {
    it(`${hop} is passed on, or refused with RESOURCE_EXHAUSTED, whatever its size`, async () => {
      const [address, tls] = await target();
      const codes = new Set<status>();
      for (const [size, metadata] of Object.entries(SIZES)) {
        const headers = { ':path': Users.getUser.path, ':authority': 'users', ...metadata };
        const { grpcStatus, grpcMessage, resetCode } = await rawCall(address, headers, frame(request), tls);
        assert.equal(resetCode, 0, size);
        if (grpcStatus !== status.OK) {
          assert.equal(grpcStatus, status.RESOURCE_EXHAUSTED, `${size}: ${grpcMessage}`);
          assert.match(grpcMessage, /^The metadata is too large: send at most \d+ headers of \d+ KiB together$/);
        }
        codes.add(grpcStatus);
      }
      assert.deepEqual([...codes].sort(), [status.OK, status.RESOURCE_EXHAUSTED]);
    });
  }

  it('the egress of a sidecar by a real client is sent once, and no service sees it', async () => {
    const [pod] = mesh.pods('storefront');
    const getUser = (run: string, size: number) => {
      const metadata = new Metadata();
      metadata.set('x-large', 'x'.repeat(size * 1024));
      metadata.set(RUN_KEY, run);
      return mesh.client(Users, pod).getUser({ id: 123 }, { deadline: deadlineIn(5000), metadata });
    };
    for (const size of [61, 70, 200]) {
      await assert.rejects(getUser('metadata-refused', size), { code: status.RESOURCE_EXHAUSTED }, `${size} KiB`);
    }
    await getUser('metadata-passes', 40);
    const runs = (await mesh.records('metadata', 1)).map(({ run }) => run);
    assert.deepEqual(runs, ['metadata-passes']);
  });

  it('a service with underscores in its keys arrives, and none is taken for the key with dashes', async () => {
    const headers = {
      ':path': Users.getUser.path,
      grpc_timeout: '1n',
      telltale_run: 'metadata-underscore',
      x_envoy_max_retries: '9',
    };
    const { grpcStatus } = await rawCall(mesh.edge, headers, frame(request));
    assert.equal(grpcStatus, status.OK);
    const marked = { ':path': Users.getUser.path, [RUN_KEY]: 'metadata-dash' };
    await rawCall(mesh.edge, marked, frame(request));
    const runs = (await mesh.records('metadata-', 2)).map(({ run }) => run);
    assert.ok(runs.includes('metadata-dash') && !runs.includes('metadata-underscore'), runs.join());
  });
});
