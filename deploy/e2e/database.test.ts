import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { isReady, kubectl, podsOf, restartsOf, until } from './kubectl.ts';
import { report, withLoad } from './load-pod.ts';

describe('the pod of PostgreSQL deleted under load', () => {
  it('makes orders and payments unready and restarts nothing, and every acknowledged charge is there once when it is back', async t => {
    const stores = async () => [...(await podsOf('payments')), ...(await podsOf('orders'))];
    const restartsBefore = restartsOf(await stores());
    let unready = 0;
    const result = await withLoad({ ordersOfTen: 5, rate: 40 }, async () => {
      await kubectl(['delete', 'pod', '-l', 'app.kubernetes.io/name=postgresql', '--grace-period=0', '--force']);
      const watchUntil = Date.now() + 20_000;
      while (Date.now() < watchUntil) {
        unready = Math.max(unready, (await stores()).filter(pod => !isReady(pod)).length);
        await wait(500);
      }
      await until('every store is ready again', 120_000, async () => (await stores()).every(isReady));
      await wait(3000);
    });
    report(t, result);
    t.diagnostic(`${unready} store pods were unready at the same time`);
    for (const { message } of result.failures) assert.match(message, /^(14|4) /);
    assert.ok(result.failures.some(({ message }) => /^14 .*google\.rpc\.RetryInfo|^14 /.test(message)));
    assert.equal(restartsOf(await stores()), restartsBefore);
    await assertChargedOnce(result.paid);
  });
});

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
