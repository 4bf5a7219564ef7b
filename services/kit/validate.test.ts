import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { RpcError } from './rpc-error.ts';
import { shown, validate } from './validate.ts';

describe('validate', () => {
  it('lets a request pass that breaks no rule', () => {
    validate(check => check(true, 'id', 'must be positive'));
  });

  it('throws INVALID_ARGUMENT with every violation in the order of the checks', () => {
    const describeRules = () =>
      validate(check => {
        check(false, 'id', 'must be positive, is 0');
        check(true, 'name', 'must not be empty');
        check(false, 'lines[1].sku', 'must not be empty');
      });
    assert.throws(describeRules, {
      code: status.INVALID_ARGUMENT,
      message: 'id: must be positive, is 0; lines[1].sku: must not be empty',
      violations: [
        { field: 'id', description: 'must be positive, is 0' },
        { field: 'lines[1].sku', description: 'must not be empty' },
      ],
    });
  });

  it('lists 20 of many violations and says how many more there are, so that they fit into a header', () => {
    const describeRules = () =>
      validate(check => {
        for (let index = 0; index < 600; index++) check(false, `lines[${index}]`, 'must not be there');
      });
    assert.throws(
      describeRules,
      (error: RpcError) => error.violations.length === 20 && error.message.endsWith('; and 580 more'),
    );
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
