import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { credentials, Client as GrpcClient, status } from '@grpc/grpc-js';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { createClient } from './client.ts';
import { deadlineIn } from './deadline.ts';
import { scriptMetadata } from './experiment.ts';
import { checkHealth } from './testing.ts';
import { recordingProxy } from './testing-proxy.ts';

const MAIN = fileURLToPath(new URL('testing-main.ts', import.meta.url));

/** A ServerReflectionRequest {list_services: ""}. */
const LIST_SERVICES = Buffer.from([0x3a, 0]);

/** A service process with its log, killed at the end of the test. */
async function startProcess(env: Record<string, string> = {}) {
  const ports = {
    TELLTALE_LISTEN: '127.0.0.1:0',
    TELLTALE_HEALTH_LISTEN: '127.0.0.1:0',
    TELLTALE_METRICS_LISTEN: '127.0.0.1:0',
    TELLTALE_EXPERIMENTS: 'true',
  };
  const child = spawn(process.execPath, [MAIN], { env: { ...ports, TELLTALE_DRAIN_WAIT_MS: '0', ...env } });
  const exit = once(child, 'exit').then(([code]) => code as number);
  const log: { msg: string; port?: number; healthPort?: number }[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', line => log.push(JSON.parse(line)));
  const said = async (msg: string) => {
    for (;;) {
      const line = log.find(entry => entry.msg === msg);
      if (line) return line;
      await Promise.race([once(lines, 'line'), exit.then(code => assert.fail(`exited with ${code} before it said "${msg}"`))]);
    }
  };
  const { port, healthPort } = await said('serving');
  const client = createClient(Orders, { address: `127.0.0.1:${port}` });
  return {
    child,
    exit,
    log,
    said,
    client,
    address: `127.0.0.1:${port}`,
    health: (name = '') => checkHealth(`127.0.0.1:${healthPort}`, name),
    [Symbol.dispose]: () => {
      client[Symbol.dispose]();
      child.kill('SIGKILL');
    },
  };
}

/** A call that the server holds for so long. */
const held = (client: ReturnType<typeof createClient<typeof Orders>>, waitMs: number) =>
  client.getOrder(
    { orderId: 'o-1' },
    { deadline: deadlineIn(10_000), metadata: scriptMetadata([{ service: 'orders', waitMs }]) },
  );

describe('serve', () => {
  it('says SERVING on the health address, which answers nothing else', async () => {
    using running = await startProcess();
    assert.equal(await running.health(), 'SERVING');
    assert.equal(await running.health('telltale.orders.v1.OrderService'), 'SERVING');
  });

  it('on SIGTERM says NOT_SERVING at once, serves on while it waits, lets open calls end, closes and exits with 0', async () => {
    using running = await startProcess({ TELLTALE_DRAIN_WAIT_MS: '600' });
    const open = held(running.client, 900);
    await held(running.client, 0);
    running.child.kill('SIGTERM');
    await running.said('stopping');
    while ((await running.health()) !== 'NOT_SERVING') await wait(5);
    await held(running.client, 0); // still answered
    await open;
    assert.equal(await running.exit, 0);
    assert.deepEqual(
      running.log.slice(-2).map(line => line.msg),
      ['closed', 'stopped'],
    );
  });

  it('does not wait when a call under way asks for that, lets it end, and waits again when none does', {
    timeout: 30_000,
  }, async () => {
    const step = { service: 'orders', skipDrainWait: true };
    const ask = (client: ReturnType<typeof createClient<typeof Orders>>, waitMs: number) =>
      client.getOrder({ orderId: 'o-1' }, { deadline: deadlineIn(10_000), metadata: scriptMetadata([{ ...step, waitMs }]) });
    using hasty = await startProcess({ TELLTALE_DRAIN_WAIT_MS: '60000' });
    const open = ask(hasty.client, 900);
    await held(hasty.client, 0);
    hasty.child.kill('SIGTERM');
    await open;
    assert.equal(await hasty.exit, 0);
    using patient = await startProcess({ TELLTALE_DRAIN_WAIT_MS: '600' });
    await ask(patient.client, 0);
    patient.child.kill('SIGTERM');
    await patient.said('stopping');
    while ((await patient.health()) !== 'NOT_SERVING') await wait(5);
    await held(patient.client, 0); // still answered
    assert.equal(await patient.exit, 0);
  });

  it('ends the calls that outlast the drain time-out', async () => {
    using running = await startProcess({ TELLTALE_DRAIN_TIMEOUT_MS: '100' });
    const open = held(running.client, 9000);
    open.catch(() => {});
    await held(running.client, 0);
    running.child.kill('SIGTERM');
    await assert.rejects(open, { code: status.UNAVAILABLE });
    assert.equal(await running.exit, 0);
    assert.ok(running.log.some(line => line.msg === 'open calls were ended'));
  });

  it('ends a stream that would go on with UNAVAILABLE, and says when to come back', async () => {
    using running = await startProcess();
    const watching = running.client.watchOrder({ orderId: 'endless' }, { deadline: deadlineIn(20_000) });
    const orders = watching[Symbol.asyncIterator]();
    await orders.next();
    running.child.kill('SIGTERM');
    await assert.rejects(orders.next(), { code: status.UNAVAILABLE, reason: 'DRAINING' });
    assert.equal(await running.exit, 0);
    assert.ok(!running.log.some(line => line.msg === 'open calls were ended'));
  });

  for (const [path, request] of [
    ['grpc.health.v1.Health/Watch', Buffer.alloc(0)],
    ['grpc.reflection.v1.ServerReflection/ServerReflectionInfo', LIST_SERVICES],
    ['grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', LIST_SERVICES],
  ] as const) {
    it(`ends an open stream of ${path} with UNAVAILABLE, too, instead of waiting for it`, async () => {
      using running = await startProcess({ TELLTALE_REFLECTION: 'true' });
      const client = new GrpcClient(running.address, credentials.createInsecure());
      const asIs = (bytes: Buffer) => bytes;
      const stream = client.makeBidiStreamRequest(`/${path}`, asIs, asIs, { deadline: deadlineIn(20_000) });
      const ended = once(stream, 'error');
      stream.write(request);
      if (path.endsWith('/Watch')) stream.end();
      await once(stream, 'data');
      stream.resume(); // Watch also says NOT_SERVING
      running.child.kill('SIGTERM');
      assert.equal((await ended)[0].code, status.UNAVAILABLE);
      assert.equal(await running.exit, 0);
      assert.ok(!running.log.some(line => line.msg === 'open calls were ended'));
      client.close();
    });
  }

  it('says NOT_SERVING for its services, and SERVING for itself, while it is not ready', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'telltale-ready-'));
    const file = join(folder, 'ready');
    await writeFile(file, '');
    using running = await startProcess({ READY_FILE: file });
    const becomes = async (expected: string) => {
      while ((await running.health('telltale.orders.v1.OrderService')) !== expected) await wait(20);
      assert.equal(await running.health(), 'SERVING');
    };
    await becomes('SERVING');
    await rm(file);
    await becomes('NOT_SERVING');
    await writeFile(file, '');
    await becomes('SERVING');
    await rm(folder, { recursive: true });
  });

  it('exits with 1 at the second signal', async () => {
    using running = await startProcess({ TELLTALE_DRAIN_WAIT_MS: '60000' });
    running.child.kill('SIGTERM');
    await running.said('stopping');
    running.child.kill('SIGINT');
    assert.equal(await running.exit, 1);
  });

  it('tells the sidecar to drain, gracefully and inbound only, and not by a proxy that the environment names', async () => {
    await using proxy = await recordingProxy();
    const asked: string[] = [];
    const admin = createHttpServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('OK');
    });
    await once(admin.listen(0, '127.0.0.1'), 'listening');
    const address = admin.address();
    assert.ok(address && typeof address === 'object');
    using running = await startProcess({ ...proxy.env, TELLTALE_SIDECAR_ADMIN: `http://127.0.0.1:${address.port}` });
    running.child.kill('SIGTERM');
    assert.equal(await running.exit, 0);
    admin.close();
    assert.deepEqual(asked, ['POST /drain_listeners?inboundonly&graceful&skip_exit']);
    assert.deepEqual(proxy.asked, []);
  });

  it('stops well without the sidecar', async () => {
    using running = await startProcess({ TELLTALE_SIDECAR_ADMIN: 'http://127.0.0.1:1' });
    running.child.kill('SIGTERM');
    assert.equal(await running.exit, 0);
  });
});

describe('readConfig', () => {
  it('ends the process with 2 and names every wrong variable, before a port opens', async () => {
    const env = { TELLTALE_LISTEN: 'nowhere', TELLTALE_DRAIN_WAIT_MS: 'soon' };
    const child: ChildProcess = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, errors] = await Promise.all(
      [child.stdout, child.stderr].map(stream => stream?.setEncoding('utf8').toArray()),
    );
    assert.equal(child.exitCode ?? (await once(child, 'exit'))[0], 2);
    assert.deepEqual(output, []);
    assert.match(String(errors), /TELLTALE_LISTEN.*\n.*TELLTALE_DRAIN_WAIT_MS/);
    assert.doesNotMatch(String(errors), /\bat /);
  });
});
