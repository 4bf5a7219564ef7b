import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { credentials, Client as GrpcClient, Metadata, type MethodDefinition, status } from '@grpc/grpc-js';
import { UserRequest, UserResponse, UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { DIRECT_CHANNEL } from '../../services/kit/connect-directly.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { RUN_KEY, SCRIPT_KEY, scriptMetadata } from '../../services/kit/experiment.ts';
import { until } from '../../services/kit/testing-matchers.ts';
import { frame } from '../../services/kit/testing-raw-call.ts';
import { type HttpRequest, sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { type PythonClients, pythonClients } from './testing-python.ts';

const ALICE = { id: 123, name: 'Alice', age: 30 };

describe('a request to the edge', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const send = (request: HttpRequest) => sendHttp(mesh.edge, request);
  const getJson = async (path: string) => {
    const answer = await send({ path });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['content-type'], 'application/json');
    return answer.json();
  };
  const postOrder = (order: object, headers: Record<string, string> = {}) => {
    const body = JSON.stringify(order);
    return send({ method: 'POST', path: '/api/orders', headers: { 'content-type': 'application/json', ...headers }, body });
  };
  const newOrder = (userId: number) => ({
    order_id: randomUUID(),
    user_id: userId,
    lines: [{ sku: 'sail', quantity: 2, unit_price_minor: '9900' }],
    currency_code: 'EUR',
  });

  describe('by gRPC', () => {
    it('GetUser(123) is Alice, 30', async () => {
      const answer = await mesh.client(Users).getUser({ id: 123 }, { deadline: deadlineIn(5000) });
      assert.deepEqual(answer, ALICE);
    });

    it('without a deadline gets the one that values.yaml gives the callee, 2 s', async () => {
      const client = new GrpcClient(mesh.edge, credentials.createInsecure(), DIRECT_CHANNEL);
      const metadata = new Metadata();
      metadata.set(RUN_KEY, 'no-deadline');
      const { path, requestSerialize, responseDeserialize } = Users.getUser as unknown as MethodDefinition<
        UserRequest,
        UserResponse
      >;
      const call = promisify<UserResponse | undefined>(done =>
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { id: 123 }, metadata, done),
      );
      assert.deepEqual(await call(), ALICE);
      client.close();
      const [record, ...others] = await mesh.records('no-deadline', 1);
      assert.deepEqual(others, []);
      assert.ok(record?.budgetMs && record.budgetMs > 1000 && record.budgetMs <= 2000, `the budget was ${record?.budgetMs}`);
    });
  });

  describe('as JSON', () => {
    it('GET /api/users/123 is the answer of the design guide', async () => {
      const answer = await send({ path: '/api/users/123' });
      assert.equal(answer.text, '{"id":123,"name":"Alice","age":30}');
    });

    it('GET /api/users gives the users page by page', async () => {
      interface Page {
        users: UserResponse[];
        next_page_token: string;
      }
      const first = (await getJson('/api/users?page_size=2')) as Page;
      const second = (await getJson(`/api/users?page_size=2&page_token=${first.next_page_token}`)) as Page;
      const both = (await getJson('/api/users?page_size=4')) as Page;
      assert.equal(first.users.length, 2);
      assert.deepEqual([...first.users, ...second.users], both.users);
    });

    it('POST /api/orders stores an order that the profile of its user then shows', async () => {
      const order = newOrder(7);
      const posted = await postOrder(order);
      assert.equal(posted.status, 200, posted.text);
      const { order: stored } = posted.json() as { order: object };
      assert.partialDeepStrictEqual(stored, { ...order, total_minor: '19800', state: 'ORDER_STATE_PAID' });
      const profile = (await getJson('/api/users/7/profile')) as { user: { id: number }; orders: object[] };
      assert.equal(profile.user.id, 7);
      assert.deepEqual(profile.orders, [stored]);
    });

    it('GET /api/orders/{order_id} is an array whose elements arrive when the order changes', async () => {
      const order = newOrder(8);
      const slow = scriptMetadata([{ service: 'payments', method: 'Charge', waitMs: 1000 }]).get(SCRIPT_KEY)[0] as Buffer;
      const placed = postOrder(order, { [SCRIPT_KEY]: slow.toString('base64') });
      const orders = async () => ((await getJson('/api/users/8/profile')) as { orders: object[] }).orders;
      await until(async () => (await orders()).length === 1);
      const arrivals: { at: number; text: string }[] = [];
      const decoder = new TextDecoder();
      const { body } = await fetch(`http://${mesh.edge}/api/orders/${order.order_id}`);
      for await (const chunk of body ?? []) {
        arrivals.push({ at: performance.now(), text: decoder.decode(chunk, { stream: true }) });
      }
      const seen = JSON.parse(arrivals.map(({ text }) => text).join('')) as { order: { state: string } }[];
      const states = seen.map(element => element.order.state);
      assert.deepEqual(states, ['ORDER_STATE_PENDING', 'ORDER_STATE_PAID']);
      const [first, last] = [arrivals[0], arrivals.at(-1)];
      assert.ok(first?.text.includes('ORDER_STATE_PENDING'));
      assert.ok(Number(last?.at) - Number(first?.at) > 200, `both at once: ${arrivals.length} chunks`);
      assert.equal((await placed).status, 200);
    });
  });

  describe('by gRPC-Web', () => {
    const getUser = async (id: number) => {
      const answer = await fetch(`http://${mesh.edge}${Users.getUser.path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' },
        body: frame(UserRequest.encode({ id }).finish()),
      });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), 'application/grpc-web+proto');
      return { headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
    };

    it('a unary call is answered with a message frame and a trailers frame', async () => {
      const { body } = await getUser(123);
      const [message, trailers, ...others] = framesOf(body);
      assert.equal(message?.flag, 0);
      assert.deepEqual(UserResponse.decode(message?.content ?? Buffer.alloc(0)), ALICE);
      assert.equal(trailers?.flag, 0x80);
      assert.match(String(trailers?.content), /^grpc-status: ?0\r\n/m);
      assert.deepEqual(others, []);
    });

    it('an error is its status and nothing else', async () => {
      const { headers, body } = await getUser(999_999);
      assert.equal(headers.get('grpc-status'), String(status.NOT_FOUND));
      assert.equal(decodeURIComponent(headers.get('grpc-message') ?? ''), 'no user has the id 999999');
      assert.equal(body.length, 0);
    });
  });

  describe('from Python, as in the design guide,', () => {
    let python: PythonClients;
    before(async () => {
      python = await pythonClients();
    });
    after(() => python?.[Symbol.asyncDispose]());

    it('by grpcio with stubs of user.proto prints Name: Alice, Age: 30', async () => {
      assert.equal(await python.ask('grpc', mesh.edge), 'Name: Alice, Age: 30\n');
    });

    it('by REST gets the same user', async () => {
      assert.equal(await python.ask('rest', mesh.edge), 'Name: Alice, Age: 30\n');
    });
  });
});

/** The frames of a gRPC-Web body: a flag, 0x80 for the trailers, and the content. */
function framesOf(body: Buffer): { flag: number; content: Buffer }[] {
  const frames: { flag: number; content: Buffer }[] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    frames.push({ flag: body.readUInt8(at), content: body.subarray(at + 5, end) });
    at = end;
  }
  return frames;
}
