import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import type { Step } from '../../proto/gen/telltale/script/v1/script.ts';
import { deadlineIn } from './deadline.ts';
import { readExperiment, scriptMetadata } from './experiment.ts';
import { bind } from './server.ts';
import { emptyOrders, startServer } from './testing.ts';

const call = (metadata?: Metadata) => ({ deadline: deadlineIn(5000), ...(metadata && { metadata }) });

describe('readExperiment', () => {
  it('finds nothing in an ordinary call', () => {
    const { run, steps, forwarded } = readExperiment(new Metadata(), 'users', 'GetUser');
    assert.deepEqual({ run, steps, forwarded: forwarded.getMap() }, { run: undefined, steps: [], forwarded: {} });
  });

  it('takes the steps that name the service, and its method or none', () => {
    const metadata = scriptMetadata([
      { service: 'users', method: 'GetUser', waitMs: 1 },
      { service: 'users', waitMs: 2 },
      { service: 'users', method: 'ListUsers', waitMs: 3 },
      { service: 'orders', waitMs: 4 },
    ]);
    const { steps } = readExperiment(metadata, 'users', 'GetUser');
    assert.deepEqual(
      steps.map(step => step.waitMs),
      [1, 2],
    );
  });

  it('names every violation of a script', () => {
    const steps: Partial<Step>[] = [
      { service: '', waitMs: 60_001 },
      { service: 'users', burnCpuMs: 10_001, padBytes: 2 ** 31, fail: { code: 17, rate: 2 } },
    ];
    assert.throws(
      () => readExperiment(scriptMetadata(steps), 'users', 'GetUser'),
      (error: { violations: { field: string }[] }) => {
        const fields = error.violations.map(violation => violation.field);
        assert.deepEqual(fields, [
          'steps[0].service',
          'steps[0].wait_ms',
          'steps[1].burn_cpu_ms',
          'steps[1].fail.code',
          'steps[1].fail.rate',
          'steps[1].pad_bytes',
        ]);
        return true;
      },
    );
  });

  it('forwards run, script and policy, and nothing else', () => {
    const metadata = scriptMetadata([], 'run 1');
    metadata.set('telltale-policy', 'no-retry');
    metadata.set('authorization', 'secret');
    const { forwarded } = readExperiment(metadata, 'users', 'GetUser');
    assert.deepEqual(Object.keys(forwarded.getMap()).sort(), ['telltale-policy', 'telltale-run', 'telltale-script-bin']);
  });
});

describe('a scripted call', () => {
  it('waits, burns CPU, and fails with the code of its script', async () => {
    await using server = await startServer([bind(Orders, emptyOrders())]);
    const script = scriptMetadata([{ service: 'orders', waitMs: 30, burnCpuMs: 20, fail: { code: status.ABORTED, rate: 0 } }]);
    const started = performance.now();
    await assert.rejects(server.client(Orders).getOrder({ orderId: 'o-1' }, call(script)), {
      code: status.ABORTED,
      reason: 'SCRIPTED',
    });
    assert.ok(performance.now() - started >= 49);
  });

  it('fails at the rate of its script', async () => {
    await using server = await startServer([bind(Orders, emptyOrders())]);
    const script = scriptMetadata([{ service: 'orders', fail: { code: status.ABORTED, rate: 0.5 } }]);
    const calls = Array.from({ length: 100 }, () => server.client(Orders).getOrder({ orderId: 'o-1' }, call(script)));
    const failed = (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected').length;
    assert.ok(failed > 20 && failed < 80, `${failed} of 100 failed`); // six standard deviations
  });

  it('answers with so many bytes more, which the client skips', async () => {
    await using server = await startServer([bind(Orders, emptyOrders())]);
    const script = scriptMetadata([{ service: 'orders', padBytes: 3 << 20 }]);
    assert.deepEqual(await server.client(Orders).getOrder({ orderId: 'o-1' }, call(script)), { order: undefined });
    const tooLong = scriptMetadata([
      { service: 'orders', padBytes: 3 << 20 },
      { service: 'orders', padBytes: 3 << 20 },
    ]);
    await assert.rejects(server.client(Orders).getOrder({ orderId: 'o-1' }, call(tooLong)), {
      code: status.RESOURCE_EXHAUSTED,
    });
  });

  it('is an ordinary call where experiments are switched off', async () => {
    await using server = await startServer([bind(Orders, emptyOrders())], { experiments: false });
    const script = scriptMetadata([{ service: 'orders', fail: { code: status.ABORTED, rate: 0 } }], 'run');
    await server.client(Orders).getOrder({ orderId: 'o-1' }, call(script));
    assert.deepEqual(server.records, []);
  });
});

describe('a server that requires deadlines', () => {
  it('refuses a call without one with FAILED_PRECONDITION and a reason', async () => {
    await using server = await startServer([bind(Orders, emptyOrders())], { requireDeadline: true });
    const client = server.client(Orders);
    await assert.rejects(client.getOrder({ orderId: 'o-1' }, { deadline: Infinity }), {
      code: status.FAILED_PRECONDITION,
      reason: 'NO_DEADLINE',
    });
    await client.getOrder({ orderId: 'o-1' }, call());
  });
});
