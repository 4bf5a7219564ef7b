import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import type { ConfigMap } from './manifest.ts';
import { edgePort, mainPortOf, portProblems, portsOf } from './port-check.ts';
import { listeningNets, portHolder } from './port-holder.ts';
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

describe('listeningNets', () => {
  it('has the nets on which somebody listens, and not those of who listens everywhere', async () => {
    using held = await listener('127.0.211.1');
    using everywhere = await listener('0.0.0.0');
    assert.ok(held.port > 0 && everywhere.port > 0);
    assert.equal(listeningNets().has(211), true);
    assert.equal(listeningNets().has(212), false);
  });
});

describe('portProblems', () => {
  it('names every port that is taken and who holds it, and says what to do: the edge can have another', async () => {
    using a = await listener('127.0.211.1');
    using b = await listener('127.0.211.1');
    const edge = edgePort('127.0.211.1', a.port);
    const [first = '', second = ''] = await portProblems(new Map([['127.0.211.1', [a.port, b.port]]]), edge);
    assert.match(
      first,
      new RegExp(`^port ${a.port} on 127.0.211.1 is taken by pid ${process.pid} .*: make up PORT=${a.port + 1}$`),
    );
    assert.match(
      second,
      new RegExp(`^port ${b.port} on 127.0.211.1 is taken by pid ${process.pid} .*Stop it, for pods need this port$`),
    );
  });

  it('says when an address is none of this machine, once', async () => {
    const problems = await portProblems(new Map([['203.0.113.1', [1, 2]]]));
    assert.equal(problems.length, 1);
    assert.match(
      problems[0] ?? '',
      /^203\.0\.113\.1 is no address of this machine \(EADDRNOTAVAIL\).*: sudo ip address add 127/,
    );
  });

  it('accepts ports that nobody holds', async () => {
    const port = await listener('127.0.211.1').then(held => {
      held[Symbol.dispose]();
      return held.port;
    });
    assert.deepEqual(await portProblems(new Map([['127.0.211.1', [port]]])), []);
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
    assert.equal(mainPortOf(object), 15021);
  });
});
