import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { hasCode } from '../../services/kit/rpc-error.ts';
import type { KubeObject } from './manifest.ts';
import { type LoadResult, loadWhile } from './testing-load.ts';
import { startTestMesh } from './testing-mesh.ts';

const CANCELS = 500;
const BYSTANDERS = 20;

interface Storm {
  /** Calls that their caller cancelled; a failure is one that ended otherwise. */
  cancelled: LoadResult;
  /** Calls of the same pod, which are not cancelled. */
  same: LoadResult;
  /** Calls of another pod to the same service. */
  other: LoadResult;
}

/** 500 calls a second to users, by the sidecar of one storefront pod, each cancelled while it is served; and two bystanders. */
async function storm(t: TestContext, seconds: number, transform?: (objects: KubeObject[]) => KubeObject[]): Promise<Storm> {
  await using mesh = await startTestMesh(transform && { transform });
  const [pod, otherPod] = mesh.pods('storefront');
  const [stormy, same, other] = [mesh.client(Users, pod), mesh.client(Users, pod), mesh.client(Users, otherPod)];
  // no retry may hide what is lost
  const noRetry = scriptMetadata([], undefined, 'no-retry');
  const metadata = scriptMetadata([{ service: 'users', waitMs: 5000 }], undefined, 'no-retry');
  const cancelled = async () => {
    const options = { deadline: deadlineIn(10_000), metadata, signal: AbortSignal.timeout(30) };
    const outcome = await stormy.getUser({ id: 123 }, options).catch(error => error);
    if (!hasCode(outcome, status.CANCELLED)) throw outcome;
  };
  const read = (client: typeof same) => () => client.getUser({ id: 123 }, { deadline: deadlineIn(5000), metadata: noRetry });
  const during = wait(seconds * 1000);
  const [first, second, third] = await Promise.all([
    loadWhile(during, CANCELS, cancelled),
    loadWhile(during, BYSTANDERS, read(same)),
    loadWhile(during, BYSTANDERS, read(other)),
  ]);
  const lost = ({ calls, failures }: LoadResult) => `${failures.length} of ${calls}`;
  t.diagnostic(`lost: ${lost(first)} cancels, ${lost(second)} calls of the same pod, ${lost(third)} of another pod`);
  const [failure] = [...second.failures, ...third.failures, ...first.failures];
  if (failure) t.diagnostic(`${failure.dueMs.toFixed(0)} ms: ${failure.message}`);
  return { cancelled: first, same: second, other: third };
}

/** Manifests with one text replaced; throws when it is not there, so that a control cannot be without its fault. */
const replacing = (pattern: RegExp, replacement: string) => (objects: KubeObject[]) => {
  const text = JSON.stringify(objects);
  const changed = text.replaceAll(pattern, replacement);
  assert.notEqual(changed, text, `the manifests have no ${pattern}`);
  return JSON.parse(changed);
};

/** The three limiters in the way, each with what puts its default back. */
const DEFAULTS: Record<string, (objects: KubeObject[]) => KubeObject[]> = {
  "Node's reset limit": replacing(
    /\{"name":"TELLTALE_LISTEN",/g,
    '{"name":"TELLTALE_RESET_BURST","value":"1000"},{"name":"TELLTALE_RESET_RATE","value":"33"},{"name":"TELLTALE_LISTEN",',
  ),
  "Envoy's guard against premature resets": replacing(/(premature_reset_total_stream_count): \d+/g, '$1: 500'),
  "the reset limit of Envoy's default codec": replacing(/use_oghttp2_codec: true/g, 'use_oghttp2_codec: false'),
};

describe('500 cancels a second from one pod', () => {
  it('for 10 s harm neither another pod nor the other calls of the same pod', async t => {
    const { cancelled, same, other } = await storm(t, 10);
    assert.equal(other.failures.length, 0);
    assert.equal(same.failures.length, 0);
    assert.equal(cancelled.failures.length, 0);
    assert.ok(cancelled.calls >= 4900, `${cancelled.calls} calls were cancelled`);
  });

  for (const [name, restore] of Object.entries(DEFAULTS)) {
    it(`with ${name} as it is by default, the control, fail calls`, async t => {
      const { cancelled, same, other } = await storm(t, 8, restore);
      assert.notEqual(cancelled.failures.length + same.failures.length + other.failures.length, 0);
    });
  }
});
