import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { recordingProxy } from '../../services/kit/testing-proxy.ts';
import type { Probe } from './manifest.ts';
import { checkOf } from './probe.ts';
import { started, untilDead, watchReadiness } from './probe-loop.ts';
import { settledWithin } from './wait.ts';

const never = new AbortController().signal;
const check = (probe: Probe) => checkOf(probe, { name: 'app', image: 'telltale' }, '127.0.0.1')(never);

async function httpServer(code: number) {
  const server = createServer((_, response) => response.writeHead(code).end('x')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => server.close() };
}

async function healthServer() {
  const server = new Server();
  const health = new HealthImplementation({ '': 'SERVING', up: 'SERVING', down: 'NOT_SERVING' });
  health.addToServer(server);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
  return { port: await promise, [Symbol.dispose]: () => server.forceShutdown() };
}

describe('a gRPC probe', () => {
  it('succeeds for a service that is SERVING only', async () => {
    using server = await healthServer();
    const answers = ['up', 'down', 'unknown', undefined].map(service =>
      check({ grpc: { port: server.port, ...(service && { service }) } }),
    );
    assert.deepEqual(await Promise.all(answers), [true, false, false, true]);
  });

  it('is not sent to a proxy that the environment names', async () => {
    using server = await healthServer();
    await using proxy = await recordingProxy();
    const { http_proxy, https_proxy, grpc_proxy } = process.env;
    Object.assign(process.env, proxy.env);
    try {
      assert.equal(await check({ grpc: { port: server.port } }), true);
      assert.deepEqual(proxy.asked, []);
    } finally {
      for (const name of Object.keys(proxy.env)) delete process.env[name];
      for (const [name, value] of Object.entries({ http_proxy, https_proxy, grpc_proxy })) if (value) process.env[name] = value;
    }
  });

  it('fails when nobody listens, and when nobody answers in time', async () => {
    using silent = await httpServer(200);
    assert.equal(await check({ grpc: { port: 1 } }), false);
    assert.equal(await check({ grpc: { port: silent.port }, timeoutSeconds: 0.3 }), false);
  });
});

describe('an HTTP probe', () => {
  it('succeeds from 200 to 399', async () => {
    for (const [code, expected] of [
      [200, true],
      [302, true],
      [404, false],
      [503, false],
    ] as const) {
      using server = await httpServer(code);
      assert.equal(await check({ httpGet: { path: '/ready', port: server.port } }), expected);
    }
  });
});

describe('probe loops', () => {
  const script = (answers: boolean[]) => () =>
    Promise.resolve(answers.length > 1 ? (answers.shift() ?? false) : (answers[0] ?? false));
  const probe = { periodSeconds: 0.01, failureThreshold: 2, successThreshold: 1 };

  it('started gives up when the probe may fail no longer', async () => {
    assert.equal(await started(probe, script([false]), never), false);
    assert.equal(await started({ periodSeconds: 1, failureThreshold: 5 }, script([false, true]), never), true);
  });

  it('watchReadiness reports each change after as many answers in a row as the thresholds ask for', async () => {
    const changes: boolean[] = [];
    const stop = new AbortController();
    const answers = [true, false, true, false, false, true, true];
    const done = watchReadiness(probe, script(answers), ready => changes.push(ready) === 3 && stop.abort(), stop.signal);
    await assert.rejects(done, { name: 'AbortError' });
    assert.deepEqual(changes, [true, false, true]);
  });

  it('untilDead resolves after failureThreshold failures in a row, not before', async () => {
    assert.equal(
      await settledWithin(untilDead(probe, script([false, true, false, true, true]), AbortSignal.timeout(200)), 100),
      false,
    );
    await untilDead(probe, script([true, false, false]), never);
  });
});
