import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expandVariables, podRewrite } from './rewrite.ts';

const mounts = new Map([
  ['/etc/envoy', '/run/pod/envoy'],
  ['/etc/envoy-endpoints', '/run/endpoints'],
]);
const rewrite = podRewrite('127.0.3.7', mounts);

describe('podRewrite', () => {
  it('gives loopback and wildcard addresses the pod address, wherever they stand', () => {
    assert.equal(
      rewrite('{address: 0.0.0.0, port_value: 1}, http://127.0.0.1:15000/x'),
      '{address: 127.0.3.7, port_value: 1}, http://127.0.3.7:15000/x',
    );
  });

  it('leaves other addresses, longer numbers and networks alone', () => {
    for (const text of ['127.0.0.10', '10.0.0.0', '1127.0.0.1', '127.0.0.1.5', '0.0.0.0/0', 'localhost'])
      assert.equal(rewrite(text), text);
  });

  it('replaces a mount path and what lies below it, not a longer name that begins with it', () => {
    assert.equal(rewrite('-c /etc/envoy/envoy.yaml'), '-c /run/pod/envoy/envoy.yaml');
    assert.equal(rewrite('path: /etc/envoy-endpoints/users.yaml'), 'path: /run/endpoints/users.yaml');
    assert.equal(rewrite('{path: /etc/envoy}'), '{path: /run/pod/envoy}');
    for (const text of ['/etc/envoyage', '/etc/envoy.d', '/usr/etc/envoy']) assert.equal(rewrite(text), text);
  });

  it('replaces nothing twice', () => {
    const nested = podRewrite('0.0.0.0', new Map([['/data', '/run/127.0.0.1/data']]));
    assert.equal(nested('/data 127.0.0.1'), '/run/127.0.0.1/data 0.0.0.0');
  });
});

describe('expandVariables', () => {
  it('expands known variables only and honours the escape', () => {
    assert.equal(expandVariables('$(A)-$(B)-$$(A)-$A', { A: 'x' }), 'x-$(B)-$(A)-$A');
  });
});
