import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { PaymentServiceService as Payments } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { type DatabaseLocation, openDatabase } from '../../services/kit/database.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { hasCode } from '../../services/kit/rpc-error.ts';
import { findPostgresql, startPostgresql } from '../../services/kit/testing-postgresql.ts';
import type { KubeObject } from './manifest.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

const KEYS = 50;
const CALLS_PER_KEY = 4;
/** The keys that race at the same time. */
const KEYS_AT_ONCE = 5;

/** What the callers know of one key: the id of each charge that was acknowledged. */
type Acknowledged = Map<string, Set<string>>;

/** 200 calls for 50 keys by both orders pods, a third of them with deadlines too short to be kept, while payments is killed twice. */
async function race(t: TestContext, mesh: TestMesh): Promise<Acknowledged> {
  const clients = mesh.pods('orders').map(pod => mesh.client(Payments, pod));
  const acknowledged: Acknowledged = new Map(Array.from({ length: KEYS }, () => [randomUUID(), new Set()]));
  const outcomes: Record<string, number> = {};
  const charge = async (key: string, n: number, ms: number) => {
    const request = { idempotencyKey: key, orderId: key, amountMinor: 100n, currencyCode: 'EUR' };
    const outcome = await clients[n % clients.length]?.charge(request, { deadline: deadlineIn(ms) }).catch(error => error);
    if (outcome?.charge) acknowledged.get(key)?.add(outcome.charge.chargeId);
    else assert.ok(hasCode(outcome, status.DEADLINE_EXCEEDED, status.UNAVAILABLE), String(outcome));
    const name = outcome?.charge ? 'OK' : (status[outcome.code] ?? '');
    outcomes[name] = (outcomes[name] ?? 0) + 1;
  };
  const keys = [...acknowledged.keys()];
  for (let first = 0; first < KEYS; first += KEYS_AT_ONCE) {
    const racing = keys.slice(first, first + KEYS_AT_ONCE).flatMap(key => Array.from({ length: CALLS_PER_KEY }, () => key));
    const calls = racing.map((key, n) => charge(key, n, n % 3 === 0 ? 1 + (n % 10) : 10_000));
    if (first === 10 || first === 30) await killOne(mesh, first === 10 ? 0 : 1);
    await Promise.all(calls);
  }
  for (const key of keys) while (acknowledged.get(key)?.size === 0) await charge(key, 0, 10_000); // as a caller would
  t.diagnostic(`calls: ${JSON.stringify(outcomes)}`);
  return acknowledged;
}

/** Kills the app of one payments pod while calls are under way; not the second one before the first is back. */
async function killOne(mesh: TestMesh, index: number): Promise<void> {
  await mesh.whenReady();
  const pod = mesh.pods('payments')[index];
  assert.ok(pod);
  await wait(3); // in the middle of the calls
  mesh.killContainer(pod.name, 'app', 'SIGKILL');
}

async function assertLedger(mesh: TestMesh, acknowledged: Acknowledged, location: DatabaseLocation): Promise<void> {
  const client = mesh.client(Payments, mesh.pods('orders')[0]);
  for (const [idempotencyKey, ids] of acknowledged) {
    const { charge } = await client.getCharge({ idempotencyKey }, { deadline: deadlineIn(5000) });
    assert.deepEqual([...ids], [charge?.chargeId], `the key ${idempotencyKey} was acknowledged with ${[...ids]}`);
  }
  const database = await openDatabase(location);
  const sql = 'SELECT count(*) AS charges FROM charges WHERE amount_minor = $1';
  const rows = await database.query<{ charges: bigint }>(sql, [100n], AbortSignal.timeout(5000));
  await database.close();
  assert.equal(rows[0]?.charges, BigInt(KEYS));
}

const restarts = (mesh: TestMesh) => mesh.pods('payments').flatMap(pod => pod.containers.map(container => container.restarts));

describe('200 racing charges with 50 keys, a third cut by deadlines, and kill -9 of each payments app', () => {
  it('make exactly 50 charges and keep every acknowledged one, with two replicas on SQLite', async t => {
    await using mesh = await startTestMesh();
    const acknowledged = await race(t, mesh);
    await assertLedger(mesh, acknowledged, { file: join(mesh.runDir, 'volumes', 'payments-data', 'payments.db') });
    assert.equal(
      restarts(mesh).reduce((sum, n) => sum + n),
      2,
    );
  });

  it('make exactly 50 charges and keep every acknowledged one, with two replicas on PostgreSQL', async t => {
    const programs = await findPostgresql();
    if (!programs && process.env.CI !== 'true')
      return t.skip('no PostgreSQL server is installed: `apt-get install postgresql`');
    assert.ok(programs, 'no PostgreSQL server is installed: `apt-get install postgresql`');
    const server = await startPostgresql(programs);
    try {
      const url = await server.createDatabase();
      await using mesh = await startTestMesh({ transform: onPostgresql(url) });
      const acknowledged = await race(t, mesh);
      await assertLedger(mesh, acknowledged, { url, file: '' });
      assert.equal(
        restarts(mesh).reduce((sum, n) => sum + n),
        2,
      );
    } finally {
      await server.stop();
    }
  });
});

/** Has payments keep its ledger in PostgreSQL. */
const onPostgresql = (url: string) => (objects: KubeObject[]) => {
  const text = JSON.stringify(objects);
  const database = `{"name":"DATABASE_URL","value":${JSON.stringify(url)}},`;
  const changed = text.replace(/("services\/payments\/main.ts"\],"env":\[)/, `$1${database}`);
  assert.notEqual(changed, text, 'the manifests have no environment of payments');
  return JSON.parse(changed);
};
