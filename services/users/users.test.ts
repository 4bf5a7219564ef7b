import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { type UserResponse, UserServiceService } from '../../proto/gen/telltale/users/v1/user.ts';
import type { Client } from '../kit/client.ts';
import { deadlineIn } from '../kit/deadline.ts';
import { SCRIPT_KEY, scriptMetadata } from '../kit/experiment.ts';
import { bind } from '../kit/server.ts';
import { startServer, type TestServer, testService } from '../kit/testing.ts';
import { violates } from '../kit/testing-matchers.ts';
import { frame, rawCall } from '../kit/testing-raw-call.ts';
import { createDirectory, DIRECTORY_SIZE } from './directory.ts';
import { users } from './users.ts';

const binding = () => bind(UserServiceService, users(createDirectory()));
const soon = () => ({ deadline: deadlineIn(5000) });

testService(binding);

let server: TestServer;
let client: Client<typeof UserServiceService>;
before(async () => {
  server = await startServer([binding()]);
  client = server.client(UserServiceService);
});
after(() => server[Symbol.asyncDispose]());

test('GetUser returns Alice, 30, for id 123', async () => {
  assert.deepEqual(await client.getUser({ id: 123 }, soon()), { id: 123, name: 'Alice', age: 30 });
});

test('GetUser is NOT_FOUND for an id that nobody has', async () => {
  for (const id of [DIRECTORY_SIZE + 1, 2 ** 31 - 1]) {
    await assert.rejects(client.getUser({ id }, soon()), { code: status.NOT_FOUND, reason: 'USER_NOT_FOUND' });
  }
});

test('GetUser is INVALID_ARGUMENT for an id that is not positive', async () => {
  for (const id of [0, -1, -(2 ** 31)]) await assert.rejects(client.getUser({ id }, soon()), violates('id'));
});

test('GetUser answers without the padding that a script asked for in an earlier call', async () => {
  const ask = (headers: Record<string, string>) => {
    const body = frame(UserServiceService.getUser.requestSerialize({ id: 123 }));
    return rawCall(server.address, { ':path': UserServiceService.getUser.path, ...headers }, body);
  };
  const [script] = scriptMetadata([{ service: 'users', padBytes: 1000 }]).get(SCRIPT_KEY);
  const padded = await ask({ [SCRIPT_KEY]: Buffer.from(script ?? '').toString('base64') });
  assert.ok(padded.body.length > 1000);
  assert.ok((await ask({})).body.length < 50);
});

test('ListUsers returns every user once and in order, page by page', async () => {
  const all: UserResponse[] = [];
  let pageToken = '';
  do {
    const page = await client.listUsers({ pageSize: 999, pageToken }, soon());
    all.push(...page.users);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  assert.deepEqual(
    all.map(user => user.id),
    Array.from({ length: DIRECTORY_SIZE }, (_, index) => index + 1),
  );
});

test('ListUsers returns 50 users for page size 0, and no empty last page', async () => {
  assert.equal((await client.listUsers({ pageSize: 0, pageToken: '' }, soon())).users.length, 50);
  let page = await client.listUsers({ pageSize: 1000, pageToken: '' }, soon());
  let pages = 1;
  for (; page.nextPageToken !== ''; pages++) {
    page = await client.listUsers({ pageSize: 1000, pageToken: page.nextPageToken }, soon());
  }
  assert.equal(pages, DIRECTORY_SIZE / 1000);
  assert.equal(page.users.length, 1000);
});

test('ListUsers is INVALID_ARGUMENT for a page size and a page token out of range, and names both at once', async () => {
  const encoded = (text: string) => Buffer.from(text).toString('base64url');
  const tokens = ['x', 'after 50', encoded('after 0'), encoded('after -1'), encoded('after 10000'), encoded('after 050')];
  for (const pageToken of [...tokens, `${encoded('after 50')}=`]) {
    await assert.rejects(client.listUsers({ pageSize: 10, pageToken }, soon()), violates('page_token'), pageToken);
  }
  for (const pageSize of [-1, 1001]) {
    await assert.rejects(client.listUsers({ pageSize, pageToken: '' }, soon()), violates('page_size'));
  }
  await assert.rejects(client.listUsers({ pageSize: 1001, pageToken: 'x' }, soon()), violates('page_size', 'page_token'));
});
