import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { type ChargeRequest, PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import type { Client } from '../kit/client.ts';
import { openDatabase } from '../kit/database.ts';
import { deadlineIn } from '../kit/deadline.ts';
import { scriptMetadata } from '../kit/experiment.ts';
import { bind } from '../kit/server.ts';
import { startServer, type TestServer, testService } from '../kit/testing.ts';
import { violates } from '../kit/testing-matchers.ts';
import { openLedger } from './ledger.ts';
import { LIMIT_MINOR, payments } from './payments.ts';

const binding = async () => bind(PaymentServiceService, payments(await openLedger(await openDatabase({ file: ':memory:' }))));
const soon = () => ({ deadline: deadlineIn(5000) });
const request = (): ChargeRequest => {
  const idempotencyKey = randomUUID();
  return { idempotencyKey, orderId: `of-${idempotencyKey}`, amountMinor: 4200n, currencyCode: 'EUR' };
};

testService(binding);

let server: TestServer;
let client: Client<typeof PaymentServiceService>;
before(async () => {
  server = await startServer([await binding()]);
  client = server.client(PaymentServiceService);
});
after(() => server[Symbol.asyncDispose]());

test('Charge charges once for a key, and GetCharge returns the charge', async () => {
  const asked = request();
  const first = await client.charge(asked, soon());
  assert.equal(first.replayed, false);
  const { chargeId, chargedAt, ...rest } = first.charge ?? assert.fail('no charge');
  assert.deepEqual(rest, asked);
  assert.ok(chargeId !== '' && chargedAt instanceof Date);
  assert.deepEqual(await client.charge(asked, soon()), { charge: first.charge, replayed: true });
  assert.deepEqual(await client.getCharge({ idempotencyKey: asked.idempotencyKey }, soon()), { charge: first.charge });
});

test('Charge takes amounts up to the limit, and is FAILED_PRECONDITION with LIMIT_EXCEEDED above it', async () => {
  assert.equal((await client.charge({ ...request(), amountMinor: LIMIT_MINOR }, soon())).charge?.amountMinor, LIMIT_MINOR);
  for (const amountMinor of [LIMIT_MINOR + 1n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
    const expected = { code: status.FAILED_PRECONDITION, reason: 'LIMIT_EXCEEDED', message: new RegExp(`${amountMinor}$`) };
    await assert.rejects(client.charge({ ...request(), amountMinor }, soon()), expected);
  }
});

test('Charge is ALREADY_EXISTS with KEY_REUSED for a key that was used with another amount', async () => {
  const asked = request();
  await client.charge(asked, soon());
  const expected = { code: status.ALREADY_EXISTS, reason: 'KEY_REUSED' };
  await assert.rejects(client.charge({ ...asked, amountMinor: 1n }, soon()), expected);
});

test('Charge is INVALID_ARGUMENT and names every bad field at once', async () => {
  const bad = { idempotencyKey: '', orderId: 'with a \0', amountMinor: 0n, currencyCode: 'eur' };
  await assert.rejects(client.charge(bad, soon()), violates('idempotency_key', 'order_id', 'amount_minor', 'currency_code'));
  await assert.rejects(client.charge({ ...request(), amountMinor: -(2n ** 63n) }, soon()), violates('amount_minor'));
  await assert.rejects(client.charge({ ...request(), idempotencyKey: 'x'.repeat(129) }, soon()), violates('idempotency_key'));
  await client.charge({ ...request(), orderId: '~'.repeat(128) }, soon());
});

test('Charge charges nothing when the deadline passed while the process was busy', async () => {
  const asked = request();
  const metadata = scriptMetadata([{ service: 'payments', burnCpuMs: 150 }]);
  const expected = { code: status.DEADLINE_EXCEEDED };
  await assert.rejects(client.charge(asked, { deadline: deadlineIn(60), metadata }), expected);
  const { idempotencyKey } = asked;
  await assert.rejects(client.getCharge({ idempotencyKey }, soon()), { code: status.NOT_FOUND, reason: 'CHARGE_NOT_FOUND' });
});

test('GetCharge is NOT_FOUND for a key without a charge, and INVALID_ARGUMENT for what can be no key', async () => {
  const expected = { code: status.NOT_FOUND, reason: 'CHARGE_NOT_FOUND' };
  await assert.rejects(client.getCharge({ idempotencyKey: 'never-used' }, soon()), expected);
  await assert.rejects(client.getCharge({ idempotencyKey: '' }, soon()), violates('idempotency_key'));
});
