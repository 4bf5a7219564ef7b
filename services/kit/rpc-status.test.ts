import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RequestInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../proto/gen/google/rpc/status.ts';
import { RpcError, toRpcError, type Violation } from './rpc-error.ts';
import { firstOf, toStatus } from './rpc-status.ts';
import { invalidRequest } from './validate.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** What is sent for an error: how long its header is, and what stands in it, by the names of the types. */
function sent(error: RpcError, requestId?: string) {
  const { code, details, metadata } = toStatus(error, requestId);
  const [value] = metadata.get('grpc-status-details-bin') as [Buffer];
  const decoded = Status.decode(value);
  assert.deepEqual([decoded.code, decoded.message], [code, details]);
  const byType = new Map(decoded.details.map(detail => [detail.typeUrl.replace(/^.*\./, ''), detail.value]));
  return { header: value.toString('base64').length, message: details, byType, types: [...byType.keys()] };
}

const fieldsIn = (value: Uint8Array | undefined) =>
  BadRequest.decode(value ?? assert.fail()).fieldViolations.map(({ field }) => field);

/** A violation of as many bytes as they get. */
const violation = (index: number, text = 'must not be there'): Violation => ({ field: `lines[${index}]`, description: text });
const many = (count: number, text?: string) => Array.from({ length: count }, (_, index) => violation(index, text));

describe('toStatus', () => {
  it('tells of what nobody has foreseen that it is internal and by which trace it is found, and nothing of what was thrown', () => {
    const { types, byType, message } = sent(toRpcError(new Error('secret')), TRACE);
    assert.deepEqual(types, ['ErrorInfo', 'RequestInfo']); // no DebugInfo
    assert.equal(message, 'internal error');
    assert.deepEqual(ErrorInfo.decode(byType.get('ErrorInfo') ?? assert.fail()).reason, 'INTERNAL');
    assert.deepEqual(RequestInfo.decode(byType.get('RequestInfo') ?? assert.fail()), { requestId: TRACE, servingData: '' });
    for (const value of byType.values()) assert.doesNotMatch(Buffer.from(value).toString('latin1'), /secret|\bat |\.ts/);
  });

  it('has no RequestInfo where nobody traces', () => {
    assert.deepEqual(sent(toRpcError(new Error('secret'))).types, ['ErrorInfo']);
  });

  const large: Record<string, RpcError> = {
    'thousands of violations': new RpcError(status.INVALID_ARGUMENT, 'wrong', { reason: 'X', violations: many(5000) }),
    'thousands of long violations': new RpcError(status.INVALID_ARGUMENT, 'wrong', {
      reason: 'X',
      violations: many(5000, '帆'.repeat(200)),
    }),
    'a message of a megabyte and one more violation': new RpcError(status.INVALID_ARGUMENT, 'x'.repeat(1e6), {
      reason: 'X',
      violations: many(1),
    }),
    'a long message, a long reason, violations and a time': new RpcError(status.UNAVAILABLE, '帆'.repeat(2000), {
      reason: 'X'.repeat(63),
      violations: many(100, 'x'.repeat(30)),
      retryAfterMs: 1234,
    }),
    'what the validator makes of thousands': invalidRequest(many(5000)),
    'what the validator makes of thousands of long ones': invalidRequest(many(5000, '🧵'.repeat(60))),
  };
  for (const [what, error] of Object.entries(large)) {
    it(`keeps the header of ${what} below 4 KiB, and lists at least one violation`, t => {
      const { header, types, byType } = sent(error, TRACE);
      t.diagnostic(`${header} bytes`);
      assert.ok(header < 4096, `${header} bytes`);
      assert.deepEqual(
        types.filter(type => type !== 'RetryInfo'),
        ['ErrorInfo', 'BadRequest', 'RequestInfo'],
      );
      assert.equal(fieldsIn(byType.get('BadRequest'))[0], 'lines[0]');
    });
  }

  it('fills most of what there is, with the first of the violations', () => {
    const { header, byType } = sent(new RpcError(status.INVALID_ARGUMENT, 'wrong', { reason: 'X', violations: many(5000) }));
    const listed = fieldsIn(byType.get('BadRequest'));
    assert.deepEqual(
      listed,
      many(listed.length).map(({ field }) => field),
    );
    assert.ok(header > 3600, `${header} bytes`);
  });

  it('leaves out a single violation that is longer than all that may be', () => {
    const violations = many(1, 'x'.repeat(10_000));
    assert.deepEqual(sent(new RpcError(status.INVALID_ARGUMENT, 'wrong', { reason: 'X', violations })).types, ['ErrorInfo']);
  });

  it('cuts a message between two characters', () => {
    for (const text of ['x', '帆', 'xx帆', '🧵', 'x🧵', 'xxx🧵']) {
      const { message } = sent(new RpcError(status.NOT_FOUND, text.repeat(2000), { reason: 'X' }));
      assert.ok(message.isWellFormed() && !message.includes('\ufffd') && message.endsWith('…'), message.slice(-10));
    }
  });
});

describe('firstOf', () => {
  it('takes all when they fit, and none when the first does not', () => {
    assert.deepEqual(firstOf(many(3), 1000), many(3));
    assert.deepEqual(firstOf(many(3), 10), []);
    assert.deepEqual(firstOf([], 0), []);
  });
});
