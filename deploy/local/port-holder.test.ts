import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import type { ConfigMap } from './manifest.ts';
import { checkPorts, portsOf } from './port-check.ts';
import { portHolder } from './port-holder.ts';
import { deployment } from './testing-chart.ts';

async function listener(host: string) {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => server.close() };
}

describe('portHolder', () => {
  it('names the pid and the command of who listens on an address', async () => {
    using held = await listener('127.0.211.1');
    assert.match(portHolder('127.0.211.1', held.port) ?? '', new RegExp(`^pid ${process.pid} \\(.*node`));
    assert.equal(portHolder('127.0.211.2', held.port), undefined);
  });

  it('finds who listens on every address, by IPv4 and by IPv6', async () => {
    using four = await listener('0.0.0.0');
    using six = await listener('::');
    assert.match(portHolder('127.0.211.1', four.port) ?? '', new RegExp(`^pid ${process.pid} `));
    assert.match(portHolder('127.0.211.1', six.port) ?? '', new RegExp(`^pid ${process.pid} `));
  });
});

describe('checkPorts', () => {
  it('names every port that is taken and who holds it, and says what to do', async () => {
    using a = await listener('127.0.211.1');
    using b = await listener('127.0.211.1');
    const error = await checkPorts(new Map([['127.0.211.1', [a.port, b.port]]])).then(
      () => assert.fail('the ports are taken'),
      (thrown: Error) => thrown.message,
    );
    for (const { port } of [a, b])
      assert.match(error, new RegExp(`port ${port} on 127.0.211.1 is taken by pid ${process.pid} `));
    assert.match(error, /--address 127.0.0.2/);
  });

  it('accepts ports that nobody holds', async () => {
    const port = await listener('127.0.211.1').then(held => {
      held[Symbol.dispose]();
      return held.port;
    });
    await checkPorts(new Map([['127.0.211.1', [port]]]));
  });
});

describe('portsOf', () => {
  it("takes the containers' ports and those that the mounted Envoy configurations listen on, not those that they dial", () => {
    const admin = 'admin: {address: {socket_address: {address: 127.0.0.1, port_value: 15000}}}';
    const listeners = 'listeners: [{address: {socket_address: {address: 0.0.0.0, port_value: 8080}}}]';
    const clusters = 'clusters: [{load_assignment: {endpoints: [{address: {socket_address: {port_value: 4317}}}]}}]';
    const data = { 'envoy.yaml': `${admin}\nstatic_resources: {${listeners}, ${clusters}}` };
    const config: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'edge-envoy' }, data };
    const other: ConfigMap = {
      ...config,
      metadata: { name: 'other' },
      data: { 'envoy.yaml': 'admin: {address: {socket_address: {port_value: 1}}}' },
    };
    const container = { name: 'envoy', image: 'envoyproxy/envoy', ports: [{ containerPort: 15021 }] };
    const object = deployment('edge', 1, {
      containers: [container],
      volumes: [{ name: 'envoy', configMap: { name: 'edge-envoy' } }],
    });
    assert.deepEqual(portsOf(object, [config, other]), [8080, 15000, 15021]);
  });
});
