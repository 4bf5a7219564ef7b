import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientSessionRequestOptions, connect } from 'node:http2';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../proto/gen/google/rpc/status.ts';
import type { CreateOrderRequest, OrderLine } from '../../proto/gen/telltale/orders/v1/orders.ts';
import {
  PlaceOrderRequest,
  StorefrontServiceService as Storefront,
} from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { frame, rawCall } from '../../services/kit/testing-raw-call.ts';
import { BUYER, badJson, type JsonRow, order, post } from './testing-bad-json.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { processesOf } from './testing-processes.ts';

interface Body {
  code: number;
  message: string;
  details: { reason?: string }[];
}

describe('bad input as JSON to the edge', () => {
  let mesh: TestMesh;
  let processes: string[];
  before(async () => {
    mesh = await startTestMesh();
    processes = processesOf(mesh);
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const testRows = (rows: JsonRow[]) => {
    for (const [title, sent, { status: expected, code, headers = {}, says = /^/, reason = /^$/ }] of rows) {
      it(title, async () => {
        const answer = await sendHttp(mesh.edge, sent);
        assert.equal(answer.status, expected, answer.text);
        assert.equal(answer.headers['content-type'], 'application/json');
        assert.partialDeepStrictEqual(answer.headers, headers);
        if (expected === 200) return assert.match(answer.text, says);
        const body = answer.json() as Body;
        assert.deepEqual(Object.keys(body).sort(), ['code', 'details', 'message']);
        assert.equal(body.code, code);
        assert.match(body.message, says);
        assert.doesNotMatch(body.message, /node_modules|\.[jt]s\b|127\.0\./);
        assert.match(body.details.flatMap(detail => detail.reason ?? []).join(), reason);
      });
    }
  };

  for (const [what, rows] of Object.entries(badJson)) describe(what, () => testRows(rows));

  it('an unknown field in several pieces over HTTP/2, with trailers, is 400', async () => {
    const session = connect(`http://${mesh.edge}`);
    try {
      const headers = { ':method': 'POST', ':path': '/api/orders', 'content-type': 'application/json' };
      const stream = session.request(headers, { endStream: false, waitForTrailers: true } as ClientSessionRequestOptions);
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'yes' }));
      const body = order(text => text.replace('{', '{"colour":"red",'));
      for (let at = 0; at < body.length; at += 20) {
        stream.write(body.slice(at, at + 20));
        await setImmediate();
      }
      stream.end();
      const [answer] = await once(stream, 'response');
      assert.equal(answer[':status'], 400, await text(stream));
    } finally {
      session.destroy();
    }
  });

  describe('a bad order', () => {
    const line = (more: Partial<OrderLine>): OrderLine => ({ sku: 'sail', quantity: 1, unitPriceMinor: 1n, ...more });
    const good: CreateOrderRequest = { orderId: 'same', userId: BUYER, lines: [line({})], currencyCode: 'EUR' };
    const orders: Record<string, Partial<CreateOrderRequest>> = {
      'with every field bad': {
        orderId: '',
        userId: -1,
        lines: [line({ sku: '', quantity: 0, unitPriceMinor: -5n })],
        currencyCode: 'eur',
      },
      'without anything': { orderId: '', userId: 0, lines: [], currencyCode: '' },
      'with the ends of int32 and int64': {
        userId: -(2 ** 31),
        lines: [line({ quantity: 2 ** 31 - 1, unitPriceMinor: 2n ** 63n - 1n }), line({ unitPriceMinor: -(2n ** 63n) })],
      },
      'with 10,000 lines': { lines: Array.from({ length: 10_000 }, () => line({})) },
      'with a text of a megabyte': { lines: [line({ sku: 'x'.repeat(1_000_000) })] },
      'with more to say than an answer holds': { lines: Array.from({ length: 200 }, () => line({ sku: '帆'.repeat(65) })) },
      'with a text that is cut within a character': { lines: [line({ sku: `x${'🧵'.repeat(64)}` })] },
      'with control characters': { orderId: 'a\0b', currencyCode: '\r\n€' },
    };

    for (const [name, bad] of Object.entries(orders)) {
      it(`${name} violates the same fields by gRPC and as JSON`, async () => {
        const request = { ...good, ...bad };
        const body = frame(PlaceOrderRequest.encode({ order: request }).finish());
        const byGrpc = await rawCall(mesh.edge, { ':path': Storefront.placeOrder.path }, body);
        const asJson = await sendHttp(mesh.edge, post(jsonOf(request)));
        assert.equal(byGrpc.grpcStatus, status.INVALID_ARGUMENT, byGrpc.grpcMessage);
        assert.equal(asJson.status, 400);
        const answer = asJson.json() as Body;
        assert.deepEqual(answer, statusOf(byGrpc.headers['grpc-status-details-bin']));
        assert.equal(answer.message, byGrpc.grpcMessage);
        const fields = violationsIn(answer);
        assert.ok(fields.length >= 1 && fields.length <= 20);
      });
    }

    it('names every field that is bad', async () => {
      const answer = await sendHttp(mesh.edge, post(jsonOf({ ...good, ...orders['with every field bad'] })));
      assert.deepEqual(
        violationsIn(answer.json() as Body),
        ['order_id', 'user_id', 'lines[0].sku', 'lines[0].quantity', 'lines[0].unit_price_minor', 'currency_code'].map(
          field => `order.${field}`,
        ),
      );
    });
  });

  describe('after all of it', () => {
    it('no bad order is stored', async () => {
      const answer = await sendHttp(mesh.edge, { path: `/api/users/${BUYER}/profile` });
      assert.deepEqual((answer.json() as { orders: object[] }).orders, []);
    });

    it('every process is the one that it was, and a good order succeeds', async () => {
      assert.deepEqual(processesOf(mesh), processes);
      assert.equal((await sendHttp(mesh.edge, post(order()))).status, 200);
    });
  });
});

/** A request as a JSON client would write it, an int64 as a text. */
function jsonOf({ orderId, userId, lines, currencyCode }: CreateOrderRequest): string {
  return JSON.stringify({
    order_id: orderId,
    user_id: userId,
    lines: lines.map(({ sku, quantity, unitPriceMinor }) => ({ sku, quantity, unit_price_minor: String(unitPriceMinor) })),
    currency_code: currencyCode,
  });
}

/** The google.rpc.Status of a gRPC answer as the edge writes it as JSON. */
function statusOf(header: string | string[] | undefined) {
  const { code, message, details } = Status.decode(Buffer.from(String(header), 'base64'));
  return { code, message, details: details.map(({ typeUrl, value }) => ({ '@type': typeUrl, ...detailOf(typeUrl, value) })) };
}

function detailOf(typeUrl: string, value: Uint8Array): object {
  if (typeUrl.endsWith('/google.rpc.ErrorInfo')) return ErrorInfo.decode(value);
  const { fieldViolations } = BadRequest.decode(value);
  return { field_violations: fieldViolations.map(({ field, description, reason }) => ({ field, description, reason })) };
}

function violationsIn({ details }: Body): string[] {
  return details
    .flatMap(detail => ('field_violations' in detail ? (detail.field_violations as { field: string }[]) : []))
    .map(({ field }) => field);
}
