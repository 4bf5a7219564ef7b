import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { LabServiceService, type RunScenarioResponse } from '../../proto/gen/telltale/lab/v1/lab.ts';
import type { Client } from '../kit/client.ts';
import { deadlineIn } from '../kit/deadline.ts';
import { startServer, type TestServer, testService } from '../kit/testing.ts';
import { until, violates } from '../kit/testing-matchers.ts';
import { readResult } from './read-result.ts';
import type { Result } from './result.ts';
import { createTestLab, type TestLab } from './testing-lab.ts';

let own: TestLab;
let server: TestServer;
let client: Client<typeof LabServiceService>;
before(async () => {
  own = await createTestLab();
  server = await startServer([own.binding]);
  client = server.client(LabServiceService);
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await own[Symbol.asyncDispose]();
});

testService(async () => (await createTestLab()).binding);

const soon = () => ({ deadline: deadlineIn(30_000) });
const run = (parameters: Record<string, string> = {}, options = {}) =>
  client.runScenario({ scenario: 'fake', parameters }, { ...soon(), ...options });
const eventsOf = async (stream: AsyncIterable<RunScenarioResponse>) =>
  (await Array.fromAsync(stream)).map(({ event }) => event ?? assert.fail('an event of no kind'));
async function resultOf(stream: AsyncIterable<RunScenarioResponse>): Promise<Result> {
  const last = (await eventsOf(stream)).at(-1);
  return last?.$case === 'result' ? readResult(last.value.document) : assert.fail('the last event is no result');
}

test('ListScenarios and DescribeScenario say what there is, its arms, its checks and what can be set', async () => {
  const { scenarios } = await client.listScenarios({}, soon());
  assert.deepEqual(scenarios, [{ name: 'fake', claim: 'the one is faster than the other', claimedBy: 'the tests of the lab' }]);
  const described = await client.describeScenario({ scenario: 'fake' }, soon());
  assert.deepEqual(
    described.arms.map(({ name, control }) => [name, control]),
    [
      ['one', false],
      ['other', true],
    ],
  );
  assert.deepEqual(described.checks, ['one is at most 10']);
  const rate = described.parameters.find(({ name }) => name === 'rate');
  assert.deepEqual([rate?.unit, rate?.defaultValue, rate?.min, rate?.max], ['calls/s', '50', 1n, 1000n]);
  const unknown = client.describeScenario({ scenario: 'fade' }, soon());
  await assert.rejects(unknown, { code: status.NOT_FOUND, message: /did you mean fake\?/ });
});

test('a lab that blocks its own event loop says how late it was, that it was saturated, and judges no latency', async () => {
  await using stalled = await createTestLab({ stallMs: 8 });
  await using by = await startServer([stalled.binding]);
  const parameters = { rate: '50', wait: '1' };
  const result = await resultOf(by.client(LabServiceService).runScenario({ scenario: 'fake', parameters }, soon()));
  for (const { name, cpu, latencyMs, latenessMs, loopDelayMs } of result.arms) {
    assert.equal(cpu.saturated, 'lab', name);
    assert.ok(latencyMs && latenessMs && loopDelayMs && loopDelayMs.p99 >= 2, `${name}: ${loopDelayMs?.p99} ms late`);
  }
  assert.deepEqual([result.verdict.kind, result.passed], ['inconclusive', false]);
  assert.match(result.verdict.sentence, /^The lab was saturated in one and other/);
});

test('RunScenario streams every repetition, interleaved, and ends with a result that is kept', async () => {
  const events = await eventsOf(run());
  const arms = events.flatMap(event => (event.$case === 'armStarted' ? [`${event.value.arm} ${event.value.repetition}`] : []));
  assert.deepEqual(arms, ['one 1', 'other 1', 'other 2', 'one 2']);
  const [first, last] = [events[0], events.at(-1)];
  assert.ok(first?.$case === 'started' && first.value.repetitions === 4);
  const result: Result = last?.$case === 'result' ? readResult(last.value.document) : assert.fail();
  assert.deepEqual([result.schemaVersion, result.verdict.kind, result.passed], [1, 'holds', true]);
  assert.deepEqual([result.conditions.calls, result.conditions.completeCalls], [200, 200]);
  assert.equal(result.arms[0]?.latencyMs?.n, 100);
  const { results } = await client.listResults({ scenario: 'fake' }, soon());
  const [newest] = results;
  assert.deepEqual([newest?.resultId, newest?.verdict, newest?.passed], [first.value.runId, 'holds', true]);
  const { document } = await client.getResult({ resultId: first.value.runId }, soon());
  assert.deepEqual(JSON.parse(document), result);
});

test('RunScenario is INVALID_ARGUMENT and lists every wrong parameter at once, with the nearest name and the limit', async () => {
  const wrong = run({ raet: '1', rate: '1001', seconds: '1.5', arrivals: 'never', seed: '-1' });
  const fields = ['raet', 'rate', 'seconds', 'arrivals', 'seed'].map(name => `parameters.${name}`);
  await assert.rejects(eventsOf(wrong), violates(...fields));
  await assert.rejects(eventsOf(run({ raet: '1' })), { message: /did you mean rate\?/ });
  await assert.rejects(eventsOf(run({ rate: '1001' })), { message: /from 1 to 1000 calls\/s, is "1001"/ });
  const long = run({ seconds: '30', repetitions: '4' });
  await assert.rejects(eventsOf(long), { message: /must last at most 180 s together, would last 240 s; set at most 22/ });
  assert.equal(own.world.open, 0);
});

test('a second run at the same time is refused, and the first goes on', async () => {
  const stream = run({ wait: '50' });
  const first = await stream[Symbol.asyncIterator]().next();
  assert.equal(first.value?.event?.$case, 'started');
  await assert.rejects(eventsOf(run()), { code: status.FAILED_PRECONDITION, reason: 'RUN_IN_PROGRESS' });
  const rest = { [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator]() };
  assert.equal((await resultOf(rest)).verdict.kind, 'holds');
});

test('a caller that goes away ends the run: no load is left, and the result is kept as incomplete', async () => {
  const caller = new AbortController();
  const { begun } = own.world;
  const events = eventsOf(run({ wait: '20000', repetitions: '2' }, { signal: caller.signal }));
  await until(() => own.world.begun > begun + 5);
  caller.abort();
  await assert.rejects(events, { code: status.CANCELLED });
  await until(() => own.world.open === 0);
  const after = own.world.begun;
  await until(async () => (await client.listResults({ scenario: '' }, soon())).results[0]?.verdict === 'incomplete');
  assert.equal(own.world.begun, after);
  const [newest] = (await client.listResults({ scenario: '' }, soon())).results;
  assert.equal(newest?.passed, false);
  assert.equal((await resultOf(run())).passed, true);
});

test('StopRun ends a run, whose stream ends with an incomplete result; stopping what does not run is no error', async () => {
  let result: Result | undefined;
  for await (const { event } of run({ wait: '20000' })) {
    if (event?.$case === 'started') {
      const { runId } = event.value;
      assert.deepEqual(await client.stopRun({ runId }, soon()), { stopping: true });
    }
    if (event?.$case === 'result') result = readResult(event.value.document);
  }
  assert.equal(result?.verdict.kind, 'incomplete');
  assert.match(result.verdict.sentence, /stopped after 0 of 4 repetitions/);
  assert.deepEqual(await client.stopRun({ runId: 'none' }, soon()), { stopping: false });
});

test('a run whose hops leave no records is inconclusive, whatever its figures say', async () => {
  own.world.reports = false;
  const result = await resultOf(run());
  own.world.reports = true;
  assert.deepEqual([result.verdict.kind, result.passed], ['inconclusive', false]);
  assert.match(result.verdict.sentence, /Evidence is missing: 0 of 200 calls/);
});

test('ListResults leaves out a file that is no result, and lists the others', async () => {
  const { results: before } = await client.listResults({ scenario: '' }, soon());
  for (const [n, text] of ['{"id": "fake-', 'null', '{}'].entries()) {
    await writeFile(join(own.folder, `fake-20990101-000000-000${n}.json`), text);
  }
  assert.deepEqual((await client.listResults({ scenario: '' }, soon())).results, before);
  assert.ok(before.length > 0);
});

test('GetResult is NOT_FOUND for a result that is not kept, INVALID_ARGUMENT for what can be no id', async () => {
  const gone = client.getResult({ resultId: 'fake-20260101-000000-0000' }, soon());
  await assert.rejects(gone, { code: status.NOT_FOUND });
  for (const resultId of ['', '../fake-20260101-000000-0000', 'fake']) {
    await assert.rejects(client.getResult({ resultId }, soon()), violates('result_id'), resultId);
  }
});
