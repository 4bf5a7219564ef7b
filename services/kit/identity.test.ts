import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { identityOf, parseIdentity } from './identity.ts';

describe('identityOf', () => {
  it('makes a SPIFFE ID, which parseIdentity reads', () => {
    assert.equal(identityOf('mesh-1', 'users'), 'spiffe://telltale/ns/mesh-1/sa/users');
    assert.deepEqual(parseIdentity(identityOf('mesh-1', 'users')), { namespace: 'mesh-1', name: 'users' });
  });

  it('refuses what could be taken for another identity', () => {
    for (const bad of [
      '',
      'a/sa/b',
      '..',
      'Users',
      'users\n',
      'a b',
      '-users',
      'users-',
      'x'.repeat(64),
      'users?x',
      'us%65rs',
    ]) {
      assert.throws(() => identityOf('mesh', bad), RangeError, bad);
      assert.throws(() => identityOf(bad, 'users'), RangeError, bad);
    }
  });
});

it('parseIdentity takes nothing but what identityOf makes', () => {
  for (const other of [
    'spiffe://telltale/ns/mesh/sa/users/',
    'spiffe://telltale/ns/mesh/sa/users\n',
    ' spiffe://telltale/ns/mesh/sa/users',
    'spiffe://telltale.example/ns/mesh/sa/users',
    'SPIFFE://telltale/ns/mesh/sa/users',
    'spiffe://telltale/ns//sa/users',
    'spiffe://telltale/ns/mesh/sa/',
    'spiffe://telltale/ns/mesh/sa/users?x',
    'spiffe://telltale',
    'https://telltale/ns/mesh/sa/users',
  ])
    assert.equal(parseIdentity(other), undefined, other);
});
