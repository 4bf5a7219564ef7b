import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { ORDER } from '../../services/kit/testing.ts';
import { violates } from '../../services/kit/testing-matchers.ts';
import { post } from './testing-bad-json.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

/** Every character that an id may have, alone and in the places where a path could read it otherwise; the shortest and the longest. */
const UNRESERVED = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~-'];
const GOOD = [...UNRESERVED, '...', '..x', 'x..', '.x', 'x.', '-.', '.~', 'a.b', 'x'.repeat(128)];

/** The ASCII characters that no id may have, and what else a path does not carry as it is. */
const RESERVED = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter(
  character => !/[A-Za-z0-9._~-]/.test(character),
);
const BAD = ['', '.', '..', ...RESERVED.map(character => `a${character}b`), 'é', '帆', '🧵', 'a%2Fb', 'x'.repeat(129)];

const RULE = 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor .., is ';

describe('the id of an order', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const soon = () => ({ deadline: deadlineIn(5000) });
  const postOrder = (orderId: string) =>
    sendHttp(
      mesh.edge,
      post(
        JSON.stringify({
          order_id: orderId,
          user_id: 77,
          lines: [{ sku: 'sail', quantity: 1, unit_price_minor: '1' }],
          currency_code: 'EUR',
        }),
      ),
    );

  it('that the contract takes can be asked for on every surface', async () => {
    const orders = mesh.client(Orders, mesh.pods('storefront')[0]);
    for (const orderId of GOOD) {
      assert.equal((await postOrder(orderId)).status, 200, orderId);
      const asJson = await sendHttp(mesh.edge, { path: `/api/orders/${orderId}` });
      assert.equal(asJson.status, 200, asJson.text);
      assert.partialDeepStrictEqual(asJson.json(), [{ order: { order_id: orderId, state: 'ORDER_STATE_PAID' } }]);
      const [byGrpc] = await Array.fromAsync(mesh.client(Storefront).watchOrder({ orderId }, soon()));
      assert.equal(byGrpc?.order?.orderId, orderId);
      assert.equal((await orders.getOrder({ orderId }, soon())).order?.orderId, orderId);
    }
  });

  it('that a path cannot carry is refused on every surface, with its value and the rule', async () => {
    const storefront = mesh.client(Storefront);
    for (const orderId of BAD) {
      const answer = await postOrder(orderId);
      assert.equal(answer.status, 400, answer.text);
      const { message } = answer.json() as { message: string };
      assert.ok(message.startsWith(`order.order_id: ${RULE}"`), message);
      const placed = storefront.placeOrder({ order: { ...ORDER, orderId } }, soon());
      await assert.rejects(placed, violates('order.order_id'));
      const watched = Array.fromAsync(storefront.watchOrder({ orderId }, soon()));
      await assert.rejects(watched, violates('order_id'));
    }
  });
});
