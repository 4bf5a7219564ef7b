import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import {
  PlaceOrderRequest,
  StorefrontServiceService as Storefront,
} from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { RUN_KEY } from '../../services/kit/experiment.ts';
import { ORDER } from '../../services/kit/testing.ts';
import { frame, type RawAnswer, rawCall } from '../../services/kit/testing-raw-call.ts';
import { type BadCall, badCalls, bomb, groups, MALFORMED, request, TOO_LONG, TWO_LINES } from './testing-bad-calls.ts';
import { badFields } from './testing-bad-fields.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { countedByEdge, cpuTimeOf, peakMemoryOf, processesOf } from './testing-processes.ts';

/** The longest message that a service takes, in bytes: grpc-js's default. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** How long any answer may take, in milliseconds; the slowest, the bomb, takes about 30. */
const PROMPT_MS = 2000;

describe('bad input by gRPC', () => {
  let mesh: TestMesh;
  let processes: string[];
  before(async () => {
    mesh = await startTestMesh();
    processes = processesOf(mesh);
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const send = async ({ to, path = Users.getUser.path, headers, body = frame(request) }: BadCall): Promise<RawAnswer> => {
    const start = performance.now();
    const address = to ? `${mesh.pods('users')[0]?.address}:50052` : mesh.edge;
    const answer = await rawCall(address, { ':path': path, ...headers }, body);
    assert.ok(performance.now() - start < PROMPT_MS, `answered after ${performance.now() - start} ms`);
    assert.doesNotMatch(answer.grpcMessage, /node_modules|\.[jt]s\b|127\.0\./);
    return answer;
  };
  const sendMarked = (run: string, { headers, ...call }: BadCall) => send({ ...call, headers: { ...headers, [RUN_KEY]: run } });
  const getUser = (metadata = new Metadata()) =>
    mesh.client(Users).getUser({ id: 123 }, { deadline: deadlineIn(5000), metadata });

  for (const [surface, rows] of Object.entries({ ...badCalls, fields: badFields })) {
    describe(surface, () => {
      for (const [title, sent, { says = /^/, headers: expected = {}, ...came }] of rows) {
        it(title, async () => {
          const { httpStatus, grpcStatus, grpcMessage, resetCode, headers, body } = await send(sent);
          assert.deepEqual({ http: httpStatus, grpc: grpcStatus, reset: resetCode }, { http: 200, reset: 0, ...came });
          assert.match(grpcMessage || body.toString(), says);
          assert.partialDeepStrictEqual(headers, expected);
        });
      }
    });
  }

  describe('and what it does inside', () => {
    it('a malformed grpc-timeout never reaches the handler, at the edge or at an app', async () => {
      const malformed: Record<string, string>[] = MALFORMED.map(value => ({ 'grpc-timeout': value }));
      for (const headers of [...malformed, TWO_LINES]) {
        await sendMarked('malformed', { headers });
        await sendMarked('malformed', { to: 'app', headers });
      }
      await sendMarked('malformed-not', { to: 'app' });
      const runs = (await mesh.records('malformed', 1)).map(({ run }) => run);
      assert.deepEqual(runs, ['malformed-not']);
    });

    it('a grpc-timeout that is too long is cut to the 10 s that values.yaml allows', async () => {
      for (const value of TOO_LONG) await sendMarked('too-long', { headers: { 'grpc-timeout': value } });
      const budgets = (await mesh.records('too-long', TOO_LONG.length)).map(({ budgetMs }) => budgetMs ?? 0);
      assert.equal(budgets.length, TOO_LONG.length);
      for (const budget of budgets) assert.ok(budget > 9000 && budget <= 10_000, `the budget was ${budget}`);
    });

    it('a call without a deadline gets the one that values.yaml gives its service', async () => {
      await sendMarked('default-user', {});
      const order = PlaceOrderRequest.encode({ order: { ...ORDER, orderId: 'without-deadline' } }).finish();
      await sendMarked('default-order', { path: Storefront.placeOrder.path, body: frame(order) });
      // an order asks for a user, too, with what is left of its own deadline
      const records = [...(await mesh.records('default-user', 1)), ...(await mesh.records('default-order', 4))];
      const budgetOf = (path: string) => records.find(({ method }) => `/${method}` === path)?.budgetMs ?? 0;
      for (const [{ path }, ms] of [[Users.getUser, 2000] as const, [Storefront.placeOrder, 5000] as const]) {
        assert.ok(budgetOf(path) > ms / 2 && budgetOf(path) <= ms, `${path}: ${budgetOf(path)} ms`);
      }
    });

    it('ten gzip bombs do not make an app larger by more than two of the longest messages', async t => {
      const pid = mesh.pods('users')[0]?.containers.find(({ name }) => name === 'app')?.pid ?? 0;
      const sendTen = async () => {
        for (let round = 0; round < 10; round++) await send({ ...bomb, to: 'app' });
      };
      const small = peakMemoryOf(pid);
      for (let set = 0; set < 4; set++) await sendTen(); // until the heap has the size that it has under this load
      const large = peakMemoryOf(pid);
      await sendTen();
      const [warm, grown] = [large - small, peakMemoryOf(pid) - large];
      t.diagnostic(`peak memory grew by ${warm} bytes, then by ${grown}`);
      assert.ok(warm < 100e6, `grew by ${warm} bytes; one bomb unpacks to 200 MB`);
      assert.ok(grown <= 2 * MAX_MESSAGE_BYTES, `grew by ${grown} bytes`);
    });

    it('a million nested groups keep an app busy for less than 100 ms', async t => {
      const pod = mesh.pods('storefront')[0];
      const pid = pod?.containers.find(({ name }) => name === 'app')?.pid ?? 0;
      const sendTen = async (body: Buffer, code: status) => {
        for (let round = 0; round < 10; round++) {
          const answer = await rawCall(`${pod?.address}:50052`, { ':path': Storefront.placeOrder.path }, body);
          assert.equal(answer.grpcStatus, code);
        }
      };
      await sendTen(frame(groups), status.INTERNAL);
      const before = cpuTimeOf(pid);
      await sendTen(frame(groups), status.INTERNAL);
      const each = (cpuTimeOf(pid) - before) / 10;
      t.diagnostic(`${each} ms of CPU each`);
      assert.ok(each < 100, `${each} ms`);
    });

    it('metadata of 70 KB is RESOURCE_EXHAUSTED to a real client, which sends it once, and no service sees it', async () => {
      const metadata = new Metadata();
      metadata.set('x-large', 'x'.repeat(70 * 1024));
      metadata.set(RUN_KEY, 'large');
      const requests = 'envoy_http_downstream_rq_http2_total{envoy_http_conn_manager_prefix="edge"}';
      const before = await countedByEdge(mesh, requests);
      await assert.rejects(getUser(metadata), { code: status.RESOURCE_EXHAUSTED });
      assert.equal(await countedByEdge(mesh, requests), before + 1);
      await sendMarked('large-not', {});
      const runs = (await mesh.records('large', 1)).map(({ run }) => run);
      assert.deepEqual(runs, ['large-not']);
    });
  });

  describe('after all of it', () => {
    it('every process is the one that it was, and GetUser(123) is Alice', async () => {
      assert.deepEqual(processesOf(mesh), processes);
      assert.deepEqual(await getUser(), { id: 123, name: 'Alice', age: 30 });
    });
  });
});
