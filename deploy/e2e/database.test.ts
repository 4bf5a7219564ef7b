import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { PaymentServiceService } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { createClient } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { isReady, kubectl, podsOf, portForward, restartsOf, settled, until } from './kubectl.ts';
import type { LoadReport } from './load.ts';
import { report, withLoad } from './load-pod.ts';

const stores = async () => [...(await podsOf('payments')), ...(await podsOf('orders'))];

describe('PostgreSQL under load', () => {
  let restartsBefore: number;
  before(async () => {
    restartsBefore = restartsOf(await stores());
  });

  it('may lose its pod: every acknowledged charge is there exactly once when it is back', async t => {
    const result = await withLoad({ ordersOfTen: 5, rate: 40 }, async () => {
      await kubectl(['delete', 'pod', '-l', 'app.kubernetes.io/name=postgresql', '--grace-period=0', '--force']);
      await settled();
      await wait(3000);
    });
    report(t, result);
    await assertAcknowledged(result);
  });

  it('may be away: its services answer UNAVAILABLE and when to try again, are not ready, and are not restarted', async t => {
    const result = await withLoad({ ordersOfTen: 5, rate: 40 }, async () => {
      await kubectl(['scale', 'statefulset/postgresql', '--replicas=0']);
      try {
        await until('no store is ready', 60_000, async () => !(await stores()).some(isReady));
        await assertUnavailable();
      } finally {
        await kubectl(['scale', 'statefulset/postgresql', '--replicas=1']);
      }
      await kubectl(['rollout', 'status', 'statefulset/postgresql', '--timeout=120s']);
      await settled();
      await wait(3000);
    });
    report(t, result);
    assert.ok(result.failures.some(({ message }) => /^14 .*, retry after \d+ ms/.test(message)));
    await assertAcknowledged(result);
  });

  /** Calls may have failed, but as not available or too late; whatever was acknowledged is charged, and no pod was restarted. */
  async function assertAcknowledged({ failures, paid }: LoadReport): Promise<void> {
    for (const { message } of failures) assert.match(message, /^(14|4) /);
    assert.equal(restartsOf(await stores()), restartsBefore);
    await assertChargedOnce(paid);
  }
});

/** Asks an app of payments itself: what reaches the load has come through orders, whose database is away as well. */
async function assertUnavailable(): Promise<void> {
  const [pod] = await podsOf('payments');
  using forward = await portForward(`pod/${pod?.metadata.name}`, 50052);
  using payments = createClient(PaymentServiceService, { address: forward.address });
  const call = payments.getCharge({ idempotencyKey: 'any' }, { deadline: deadlineIn(10_000) });
  await assert.rejects(call, { code: status.UNAVAILABLE, reason: 'DATABASE_UNAVAILABLE', retryAfterMs: 1000 });
}

/** Compares what was acknowledged with the ledger itself. */
async function assertChargedOnce(paid: Record<string, string>): Promise<void> {
  const sql = 'SELECT idempotency_key, charge_id FROM charges';
  const command = ['sh', '-c', `psql -U "$POSTGRES_USER" -d "\${POSTGRES_DB:-telltale}" -At -F ' ' -c '${sql}'`];
  const text = await kubectl(['exec', 'statefulset/postgresql', '--', ...command]);
  const ledger = text
    .trim()
    .split('\n')
    .map(line => line.split(' '));
  const charges = new Map(ledger.map(([key = '', charge = '']) => [key, charge]));
  assert.equal(charges.size, ledger.length, 'a key was charged twice');
  assert.ok(Object.keys(paid).length > 0);
  for (const [order, charge] of Object.entries(paid)) assert.equal(charges.get(order), charge, `order ${order}`);
}
