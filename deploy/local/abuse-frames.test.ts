import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { KubeObject } from './manifest.ts';
import { attackPort, type Port, portsOf } from './testing-abuse.ts';
import { type Attack, floods, ignored, silences } from './testing-attacks.ts';
import { fuzzBodies } from './testing-fuzz.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';
import { processesOf } from './testing-processes.ts';
import { waitUntil } from './wait.ts';

/** How large a process may become by an attack, in MB. */
const GROWTH_MB = 50;

/** How long a connection may last when all has been sent, in milliseconds. */
const PATIENCE_MS = 9000;

/** A silent peer is given 5 s here instead of 40, and 3 s for its headers. */
const impatient = (objects: KubeObject[]): KubeObject[] => {
  const text = JSON.stringify(objects);
  const changed = text
    .replaceAll('connection_keepalive: {interval: 30s, timeout: 10s}', 'connection_keepalive: {interval: 3s, timeout: 2s}')
    .replaceAll('request_headers_timeout: 10s', 'request_headers_timeout: 3s');
  assert.notEqual(changed, text);
  return JSON.parse(changed);
};

describe('whoever breaks or floods HTTP/2 harms nobody else', () => {
  let mesh: TestMesh;
  let ports: Port[];
  let processes: string[];
  before(async () => {
    mesh = await startTestMesh({ transform: impatient });
    ports = await portsOf(mesh);
    processes = processesOf(mesh);
    // what any calls make of a process that has just started is no harm
    for (const { connect } of ports) await fuzzBodies(connect, 2000, 1);
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const endure = async (t: TestContext, port: Port, attacks: readonly Attack[]) => {
    const { closed, lost, bystanders, grownMb, rose } = await attackPort(port, attacks, PATIENCE_MS);
    t.diagnostic(`${port.name}: lost ${lost.length} of ${bystanders} calls, grew by ${grownMb.toFixed(0)} MB`);
    assert.deepEqual(lost, [], port.name);
    assert.ok(grownMb < GROWTH_MB, `${port.name} grew by ${grownMb} MB`);
    for (const attack of attacks) {
      const outcome = attack.outcome[port.name];
      const counter = typeof outcome === 'string' ? outcome : outcome.borne;
      t.diagnostic(`${port.name}: ${attack.title}: ${closed(attack)} closed, ${counter} +${rose(counter)}`);
      if (typeof outcome === 'string') {
        assert.equal(closed(attack), attack.connections ?? 1, `${port.name}: ${attack.title}: closed`);
        const those = attacks.filter(each => each.outcome[port.name] === counter);
        const connections = those.reduce((sum, each) => sum + (each.connections ?? 1), 0);
        assert.ok(rose(counter) >= connections, `${port.name}: ${attack.title}: ${counter} rose by ${rose(counter)} only`);
      } else {
        assert.equal(closed(attack), 0, `${port.name}: ${attack.title}: closed`);
        assert.ok(rose(counter) >= outcome.least, `${port.name}: ${attack.title}: ${counter} rose by ${rose(counter)} only`);
      }
    }
  };

  for (const attack of floods) {
    it(`${attack.title}, at edge, sidecar and app`, async t => {
      await Promise.all(ports.map(port => endure(t, port, [attack])));
    });
  }

  it('floods of what is ignored, at edge, sidecar and app', async t => {
    await Promise.all(ports.map(port => endure(t, port, ignored)));
  });

  it('what begins and does not go on is ended, at edge, sidecar and app', async t => {
    await Promise.all(ports.map(port => endure(t, port, silences)));
  });

  it('who connects to an ingress and says nothing, not even who it is, is ended within 8 s and counted', async () => {
    const ingress = ports.find(({ name }) => name === 'ingress') as Port;
    const counter = 'listener.ingress.downstream_cx_transport_socket_connect_timeout';
    const counted = async () => (await ingress.counters()).get(counter) ?? 0;
    const before = await counted();
    const [host, port] = ingress.address.split(':');
    const start = performance.now();
    const socket = connect(Number(port), host)
      .on('error', () => {})
      .resume();
    await once(socket, 'close');
    assert.ok(performance.now() - start < 8000);
    assert.ok(await waitUntil(async () => (await counted()) > before, { timeoutMs: 5000 }), `${counter} did not rise`);
  });

  it('no process has ended', () => {
    assert.deepEqual(processesOf(mesh), processes);
  });
});
