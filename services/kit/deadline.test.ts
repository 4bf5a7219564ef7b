import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import {
  childDeadline,
  deadlineIn,
  durationOf,
  HOP_RESERVE_MS,
  hasExpired,
  MAX_TIMEOUT_MS,
  parseGrpcTimeout,
  remainingMs,
} from './deadline.ts';
import { bind } from './server.ts';
import { emptyOrders, startServer } from './testing.ts';

describe('parseGrpcTimeout', () => {
  const readings: Record<string, number | undefined> = {
    '1H': 3_600_000,
    '2M': 120_000,
    '5S': 5000,
    '250m': 250,
    '1500u': 1.5,
    '0S': 0,
    '99999999n': 99.999999,
    '597H': MAX_TIMEOUT_MS,
    '99999999M': MAX_TIMEOUT_MS,
    '': undefined,
    abc: undefined,
    S: undefined,
    '-5S': undefined,
    '1.5S': undefined,
    '5S5S': undefined,
    '5 S': undefined,
    '5S,1m': undefined,
    '123456789m': undefined,
    '5s': undefined,
  };
  for (const [value, ms] of Object.entries(readings)) {
    it(`reads ${JSON.stringify(value)} as ${ms ?? 'malformed'}`, () => {
      const read = parseGrpcTimeout(value);
      assert.equal(
        read === undefined ? undefined : Math.round(read * 1e6),
        ms === undefined ? undefined : Math.round(ms * 1e6),
      );
    });
  }
});

describe('deadlineIn', () => {
  it('lies in the future by what was asked for', () => {
    const before = Date.now();
    const deadline = deadlineIn(250);
    assert.ok(deadline >= before + 250 && deadline <= Date.now() + 250);
  });

  it('refuses what is no duration', () => {
    for (const ms of [-1, Number.NaN, Infinity]) assert.throws(() => deadlineIn(ms), RangeError);
  });
});

describe('childDeadline', () => {
  it("is earlier than the parent's by the reserve, and never later than its own", () => {
    assert.equal(childDeadline(10_000), 10_000 - HOP_RESERVE_MS);
    assert.equal(childDeadline(10_000, 500), 500);
    assert.equal(childDeadline(Infinity), Infinity);
  });
});

describe('remainingMs and hasExpired', () => {
  it('never fall below zero and know no deadline', () => {
    assert.equal(remainingMs(Date.now() - 1000), 0);
    assert.equal(remainingMs(Infinity), Infinity);
    assert.equal(hasExpired(Date.now() - 1000), true);
    assert.equal(hasExpired(Infinity), false);
  });
});

describe('durationOf', () => {
  it('keeps fractions of a second, which a service config of grpc-js then honours', async () => {
    assert.deepEqual(durationOf(1250), { seconds: 1, nanos: 250_000_000 });
    const forever: ReturnType<typeof emptyOrders>['getOrder'] = (_request, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    await using server = await startServer([bind(Orders, { ...emptyOrders(), getOrder: forever })]);
    const serviceConfig = { loadBalancingConfig: [], methodConfig: [{ name: [{}], timeout: durationOf(200) }] };
    const started = performance.now();
    const call = server.client(Orders, { serviceConfig }).getOrder({ orderId: 'o-1' }, { deadline: deadlineIn(5000) });
    await assert.rejects(call, { code: status.DEADLINE_EXCEEDED });
    const took = performance.now() - started;
    assert.ok(took >= 190, `gave up after ${took} ms`); // "0.2s" as a string would give up at once
  });
});
