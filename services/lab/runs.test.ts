import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { LabServiceService } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { deadlineIn } from '../kit/deadline.ts';
import { RpcError } from '../kit/rpc-error.ts';
import { startServer } from '../kit/testing.ts';
import { until } from '../kit/testing-matchers.ts';
import { violationsIn } from '../kit/validate.ts';
import type { PodLife } from './pod-lives.ts';
import { readResult } from './read-result.ts';
import type { Result } from './result.ts';
import { createTestLab, type TestLabOptions } from './testing-lab.ts';

const soon = () => ({ deadline: deadlineIn(30_000) });

async function startLab(options?: TestLabOptions) {
  await using cleanup = new AsyncDisposableStack();
  const own = cleanup.use(await createTestLab(options));
  const server = cleanup.use(await startServer([own.binding]));
  const client = server.client(LabServiceService);
  const results = async () => (await client.listResults({ scenario: '' }, soon())).results;
  const resultOf = async (resultId: string) => readResult((await client.getResult({ resultId }, soon())).document);
  const resources = cleanup.move();
  return {
    own,
    results,
    newest: async () => resultOf((await results())[0]?.resultId ?? ''),
    async run(parameters: Record<string, string> = {}): Promise<Result> {
      let result: Result | undefined;
      for await (const { event } of client.runScenario({ scenario: 'fake', parameters }, soon())) {
        if (event?.$case !== 'result') continue;
        assert.equal(own.world.open, 0, 'a result comes when no call is under way any more');
        result = readResult(event.value.document);
      }
      return result ?? assert.fail('no result');
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

describe('a run that does not come to its end', () => {
  it('is kept as incomplete from its beginning, and once only', async () => {
    await using lab = await startLab();
    const run = lab.run({ wait: '200' });
    await until(() => lab.own.world.open > 0);
    const { id, verdict, passed, checks } = await lab.newest();
    assert.deepEqual([verdict.kind, passed, checks], ['incomplete', false, []]);
    assert.match(verdict.sentence, /under way, or the lab was ended/);
    assert.deepEqual([(await run).id, (await run).verdict.kind], [id, 'holds']);
    assert.equal((await lab.results()).length, 1);
    assert.deepEqual(await lab.newest(), await run);
  });

  it('says what an arm says that cannot go on, and leaves no load of it', async () => {
    await using lab = await startLab();
    lab.own.world.fails = new RpcError(status.UNAVAILABLE, 'the Kubernetes API does not answer', { reason: 'KUBERNETES_API' });
    const { verdict, passed } = await lab.run({ wait: '20000' });
    const sentence = 'The run ended after 0 of 4 repetitions: the Kubernetes API does not answer.';
    assert.deepEqual([verdict, passed], [{ kind: 'incomplete', sentence }, false]);
    assert.deepEqual((await lab.newest()).verdict, verdict);
    const { begun, open } = lab.own.world;
    assert.ok(begun > 0 && open === 0, `${begun} calls begun, ${open} open`);
    lab.own.world.fails = undefined;
    assert.equal((await lab.run()).verdict.kind, 'holds');
    assert.equal(lab.own.world.begun, begun + 200, 'nothing is left of the load of the run before');
  });

  it('tells nobody outside what nobody has foreseen, and is kept all the same', async () => {
    await using lab = await startLab();
    lab.own.world.fails = new TypeError('secret');
    await assert.rejects(lab.run(), { code: status.INTERNAL });
    const { verdict } = await lab.newest();
    assert.match(verdict.sentence, /after 0 of 4 repetitions: something went wrong in the lab, whose log says what\.$/);
    assert.doesNotMatch(JSON.stringify(await lab.newest()), /secret/);
  });

  it('ends when it has taken too long', async () => {
    await using lab = await startLab({ longestMs: 1500 });
    const { verdict } = await lab.run();
    assert.deepEqual(verdict.kind, 'incomplete');
    assert.match(verdict.sentence, /^The run took longer than a run may, and was stopped after \d of 4 repetitions\.$/);
    assert.equal(lab.own.world.open, 0);
  });

  it('names the pod that was lost in the middle of it', async () => {
    let pods: PodLife[] = [
      { name: 'users-1', service: 'users', restarts: 0 },
      { name: 'users-2', service: 'users', restarts: 0 },
    ];
    const never = () => assert.fail('nobody does');
    const control = { replicas: async () => 2, pods: never, killPod: never, scale: never, restart: never };
    await using lab = await startLab({ lives: async () => pods, control });
    const run = lab.run();
    await until(() => lab.own.world.begun > 60);
    pods = pods.map(pod => (pod.name === 'users-2' ? { ...pod, name: 'users-3' } : pod));
    const { verdict } = await run;
    assert.equal(verdict.kind, 'incomplete');
    assert.match(verdict.sentence, /after 1 of 4 repetitions: users-2 of users ended or was started again/);
    assert.equal((await lab.run()).verdict.kind, 'holds', 'the next run has no such pod');
  });
});

it('a run gives each call an id of its own that the contracts take for an order', async () => {
  await using lab = await startLab();
  await lab.run();
  const { ids } = lab.own.world;
  assert.ok(ids.length >= 200 && new Set(ids).size === ids.length);
  for (const id of ids) {
    const orderId = `${id}.again`; // what a scenario adds to it, too
    assert.deepEqual(violationsIn('telltale.orders.v1.GetOrderRequest', { orderId }), []);
  }
});
