import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { invalidRequest, requestRules, required, violationsIn } from './validate.ts';
import { shown } from './validate-shown.ts';

describe('violationsIn', () => {
  const line = { sku: 'sail', quantity: 1, unitPriceMinor: 1n };
  const order = { orderId: 'o-1', userId: 1, lines: [line], currencyCode: 'EUR' };
  const find = (changes: Partial<typeof order>) =>
    violationsIn('telltale.orders.v1.CreateOrderRequest', { ...order, ...changes });

  it('finds nothing in a request that obeys its contract', () => {
    assert.deepEqual(find({}), []);
  });

  it('names every field with its path as in the contract, its rule and its value, in the order of the contract', () => {
    const lines = [line, { sku: '', quantity: 0, unitPriceMinor: 1_000_001n }];
    assert.deepEqual(find({ currencyCode: 'eur', orderId: 'a\0b', userId: -1, lines }), [
      { field: 'order_id', description: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor .., is "a\\u0000b"' },
      { field: 'user_id', description: 'must be at least 1, is -1' },
      { field: 'lines[1].sku', description: 'must be 1 to 64 characters, none a control character, is ""' },
      { field: 'lines[1].quantity', description: 'must be from 1 to 1000, is 0' },
      { field: 'lines[1].unit_price_minor', description: 'must be from 0 to 1000000, is 1000001' },
      { field: 'currency_code', description: 'must be three capital letters such as EUR, is "eur"' },
    ]);
  });

  it('counts the elements of a list, and looks at no more of them than there may be', () => {
    const bad = { ...line, quantity: 0 };
    const fields = find({ lines: [...Array.from({ length: 200 }, () => line), bad] }).map(({ field }) => field);
    assert.deepEqual(fields, ['lines']);
    const [violation] = find({ lines: [] });
    assert.deepEqual(violation, { field: 'lines', description: 'must have from 1 to 200 elements, has 0' });
  });

  it('names a text that was not valid UTF-8, also one without rules', () => {
    const description = 'must be valid UTF-8, is "x\ufffd"';
    assert.deepEqual(find({ orderId: 'x\ud800' }), [{ field: 'order_id', description }]);
    const lookup = violationsIn('telltale.orders.v1.LookupOrdersRequest', { orderId: 'x\ud800' });
    assert.deepEqual(lookup, [{ field: 'order_id', description }]);
  });

  it('says what belongs into a message that is missing', () => {
    const [violation] = violationsIn('telltale.orders.v1.ImportOrdersRequest', { order: undefined });
    const description = 'must be given, with order_id, user_id, lines, currency_code; it is missing';
    assert.deepEqual(violation, { field: 'order', description });
  });

  it('knows the ends of int64, and that NaN is in no range', () => {
    const charge = { idempotencyKey: 'k', orderId: 'o', currencyCode: 'EUR' };
    const ofAmount = (amountMinor: bigint) => violationsIn('telltale.payments.v1.ChargeRequest', { ...charge, amountMinor });
    assert.deepEqual(ofAmount(2n ** 63n - 1n), []);
    assert.match(ofAmount(-(2n ** 63n))[0]?.description ?? '', /^must be at least 1, is -9223372036854775808$/);
    assert.deepEqual(violationsIn('telltale.script.v1.Failure', { code: 1, rate: Number.NaN }), [
      { field: 'rate', description: 'must be from 0 to 1, is NaN' },
    ]);
  });
});

describe('requestRules', () => {
  it('knows no method that no contract has', () => {
    assert.throws(() => requestRules('/telltale.users.v1.UserService/NoSuch'), /NoSuch is in no contract: run make generate/);
  });
});

describe('invalidRequest', () => {
  it('is INVALID_ARGUMENT and says what each violation says', () => {
    const violations = [
      { field: 'id', description: 'must be positive, is 0' },
      { field: 'lines[1].sku', description: 'must not be empty' },
    ];
    const { code, message, reason, violations: listed } = invalidRequest(violations);
    assert.deepEqual([code, reason, listed], [status.INVALID_ARGUMENT, 'INVALID_REQUEST', violations]);
    assert.equal(message, 'id: must be positive, is 0; lines[1].sku: must not be empty');
  });

  it('lists 20 of many violations and says how many more there are, so that they fit into a header', () => {
    const many = Array.from({ length: 600 }, (_, index) => ({ field: `lines[${index}]`, description: 'must not be there' }));
    const { violations, message } = invalidRequest(many);
    assert.equal(violations.length, 20);
    assert.match(message, /; and 580 more$/);
  });
});

describe('required', () => {
  it('returns what is there, and throws for what the contract does not let through', () => {
    assert.equal(required(0), 0);
    assert.throws(() => required(undefined), TypeError);
  });
});

describe('shown', () => {
  it('quotes text, cuts it at 40 characters and knows bigint', () => {
    assert.equal(shown('a"b\n'), '"a\\"b\\n"');
    assert.equal(shown('x'.repeat(100)).length, 40);
    assert.equal(shown(5n), '5');
    assert.equal(shown(`x${'🧵'.repeat(100)}`), `"x${'🧵'.repeat(37)}…`);
    assert.equal(shown(undefined), 'undefined');
  });
});
