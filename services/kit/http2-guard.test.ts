import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Server, status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { deadlineIn, MAX_TIMEOUT_MS } from './deadline.ts';
import { guardHttp2, mendHeaders, type ResetLimit } from './http2-guard.ts';
import type { RpcError } from './rpc-error.ts';
import { bind } from './server.ts';
import { emptyOrders, startServer } from './testing.ts';
import { whenAborted } from './testing-matchers.ts';

/** Cancels 1,500 calls over one connection, while another call over it is open; how that one ends. */
async function bystanderOf(resetLimit: ResetLimit): Promise<status> {
  const cancelled = emptyOrders({
    async getOrder(_request, { signal }) {
      await whenAborted(signal);
      return { order: undefined };
    },
    async *watchOrder(_request, { signal }) {
      yield { order: undefined };
      await whenAborted(signal);
    },
  });
  await using server = await startServer([bind(Orders, cancelled)], { resetLimit });
  const client = server.client(Orders);
  const leave = new AbortController();
  const watching = client.watchOrder({ orderId: 'o-1' }, { deadline: deadlineIn(20_000), signal: leave.signal });
  const bystander = watching[Symbol.asyncIterator]();
  await bystander.next();
  for (let round = 0; round < 30; round++) {
    const controller = new AbortController();
    const options = { deadline: deadlineIn(20_000), signal: controller.signal };
    const calls = Array.from({ length: 50 }, () => client.getOrder({ orderId: 'o-1' }, options));
    setTimeout(() => controller.abort(), 5); // by then they are on the wire, so that each cancellation is a reset
    await Promise.allSettled(calls);
  }
  leave.abort();
  return bystander.next().then(
    () => status.OK,
    (error: RpcError) => error.code,
  );
}

describe('guardHttp2', () => {
  it('lets one connection reset 1,500 streams without harm to another call on it', async () => {
    // the bystander is cancelled by ourselves at the end: it was there until then
    assert.equal(await bystanderOf({ burst: 100_000, rate: 10_000 }), status.CANCELLED);
  });

  it("with Node's own limit, the control, the connection and the other call with it are lost", async () => {
    assert.notEqual(await bystanderOf({ burst: 1000, rate: 33 }), status.CANCELLED);
  });

  it('refuses a grpc-js that has no such members', () => {
    const limit = { burst: 1, rate: 1 };
    assert.throws(() => guardHttp2({} as Server, limit), /adapt http2-guard\.ts/);
    guardHttp2(new Server(), limit);
  });
});

describe('mendHeaders', () => {
  const headers = (changes: Record<string, string>) => {
    const changed = { ':method': 'POST', 'content-type': 'application/grpc', ...changes };
    mendHeaders(changed);
    return changed as Record<string, string>;
  };

  it('leaves what is right as it is', () => {
    for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8']) {
      assert.equal(headers({ 'content-type': type })['content-type'], type);
    }
    assert.equal(headers({ 'grpc-timeout': '5S' })['grpc-timeout'], '5S');
  });

  it('makes grpc-js refuse other content types and methods', () => {
    for (const type of ['application/grpcfoo', 'application/grpc-web', 'text/plain', '']) {
      assert.equal(headers({ 'content-type': type })['content-type'], 'refused');
    }
    assert.equal(headers({ ':method': 'PUT' })['content-type'], 'refused');
  });

  it('leaves a script in base64, padded or not, and puts what is no message in the place of anything else', () => {
    const script = (value: string) => headers({ 'telltale-script-bin': value })['telltale-script-bin'];
    for (const value of ['', 'CgA=', 'CgA', 'CgAA', 'Cg==', 'Cg', '+/+/', 'Cg==,CgA']) assert.equal(script(value), value);
    for (const value of ['!!!!', 'C', 'CgA==', 'Cg=A', 'Cg==Cg==', 'CgA-', 'Cg A', 'CgA=,!'])
      assert.equal(script(value), 'Dw==');
  });

  it('marks a malformed grpc-timeout and cuts one that would overflow a timer', () => {
    assert.equal(headers({ 'grpc-timeout': '5S5S' })['grpc-timeout'], 'malformed');
    assert.equal(headers({ 'grpc-timeout': '1m, 2m' })['grpc-timeout'], 'malformed');
    assert.equal(headers({ 'grpc-timeout': '99999999H' })['grpc-timeout'], `${Math.floor(MAX_TIMEOUT_MS / 1000)}S`);
  });
});
