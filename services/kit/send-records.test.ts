import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabServiceService, type ReportRecordsRequest } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import { deadlineIn } from './deadline.ts';
import { scriptMetadata } from './experiment.ts';
import type { Handlers } from './handler.ts';
import { createLogger } from './log.ts';
import type { CallRecord } from './record.ts';
import { RecordQueue } from './record-queue.ts';
import { type SendRecordsOptions, sendRecords } from './send-records.ts';
import { bind } from './server.ts';
import { startServer } from './testing.ts';
import { until } from './testing-matchers.ts';

const logger = createLogger({ service: 'test', pod: 'test', level: 'silent' });
const record = (run: string): CallRecord => ({
  run,
  method: 'telltale.users.v1.UserService/GetUser',
  pod: 'users-1',
  peer: '127.0.0.1:1',
  attempt: 1,
  arrivedAt: 1000.25,
  budgetMs: 300,
  status: 'OK',
  endedAt: 1001.5,
  stoppedAt: 1001.5,
});

/** A lab that only takes records. */
async function startCollector(port?: number) {
  const messages: ReportRecordsRequest[] = [];
  const handlers: Partial<Handlers<typeof LabServiceService>> = {
    async reportRecords(requests) {
      for await (const message of requests) messages.push(message);
      return { receivedCount: 0n };
    },
  };
  const { reportRecords } = LabServiceService;
  const server = await startServer([bind({ reportRecords } as never, handlers as never)], {}, port);
  return { server, messages, runs: () => messages.flatMap(({ records }) => records.map(({ run }) => run)) };
}

const options = (address: string, more: Partial<SendRecordsOptions> = {}): SendRecordsOptions => ({
  address,
  service: 'users',
  pod: 'users-1',
  logger,
  ...more,
});

test('sendRecords delivers each record whole, with who sends it, its CPU time, and what was dropped', async () => {
  const lab = await startCollector();
  await using _ = lab.server;
  const sender = sendRecords(options(lab.server.address));
  sender.sink(record('one'));
  await until(() => lab.runs().length === 1);
  const [first, second] = lab.messages;
  assert.deepEqual([first?.service, first?.pod, first?.records.length], ['users', 'users-1', 0]);
  assert.deepEqual(second?.records, [record('one')]);
  assert.ok(second.cpuUs > 0n && second.sampledAt > 0 && second.droppedCount === 0n);
  sender.sink(record('last'));
  await sender[Symbol.asyncDispose]();
  assert.deepEqual(lab.runs(), ['one', 'last']);
});

test('sendRecords keeps records while nobody answers, opens the stream again, and drops what is too much', async () => {
  const first = await startCollector();
  const { address } = first.server;
  await first.server[Symbol.asyncDispose]();
  await using sender = sendRecords(options(address, { limit: 3 }));
  for (const run of ['1', '2', '3', '4', '5']) sender.sink(record(run));
  const second = await startCollector(Number(address.split(':')[1]));
  await using _ = second.server;
  await until(() => second.runs().length === 3);
  assert.deepEqual(second.runs(), ['1', '2', '3']);
  assert.equal(second.messages.at(-1)?.droppedCount, 2n);
});

test('sendRecords ends within a second and a bit when nobody takes what is left', async () => {
  const sender = sendRecords(options('127.0.0.1:1'));
  sender.sink(record('lost'));
  const startedAt = performance.now();
  await sender[Symbol.asyncDispose]();
  assert.ok(performance.now() - startedAt < 2000);
});

test('calls are answered while their records cannot be sent', async () => {
  await using sender = sendRecords(options('127.0.0.1:1', { limit: 1 }));
  await using server = await startServer([bind(UserServiceService, usersThatAnswer())], { record: sender.sink });
  const client = server.client(UserServiceService);
  const call = () => client.getUser({ id: 1 }, { deadline: deadlineIn(1000), metadata: scriptMetadata([], 'blocked') });
  for (let n = 0; n < 20; n++) assert.equal((await call()).id, 1);
});

test('RecordQueue drops what comes when it is full, and counts it', () => {
  const queue = new RecordQueue(2);
  for (const run of ['a', 'b', 'c']) queue.add(record(run));
  assert.equal(queue.dropped, 1);
  assert.deepEqual(
    queue.take(10).map(({ run }) => run),
    ['a', 'b'],
  );
});

function usersThatAnswer(): Handlers<typeof UserServiceService> {
  return {
    getUser: ({ id }) => ({ id, name: 'Alice', age: 30 }),
    listUsers: () => ({ users: [], nextPageToken: '' }),
  };
}
