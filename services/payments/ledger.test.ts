import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { ChargeRequest } from '../../proto/gen/telltale/payments/v1/payments.ts';
import type { DatabaseLocation } from '../kit/database.ts';
import { hasCode } from '../kit/rpc-error.ts';
import { type DatabaseTest, onEachDatabase } from '../kit/testing-database.ts';
import { openLedger } from './ledger.ts';

const NEVER = new AbortController().signal;
const request: ChargeRequest = { idempotencyKey: 'key', orderId: 'order', amountMinor: 4200n, currencyCode: 'EUR' };

await onEachDatabase(suite => {
  test('charge makes a charge with an id and a time of its own, and find returns it', async () => {
    const ledger = await opened(suite);
    const { charge, replayed } = await ledger.charge(request, NEVER);
    assert.equal(replayed, false);
    const { chargeId, chargedAt, ...rest } = charge;
    assert.deepEqual(rest, request);
    assert.ok(chargeId.length > 0);
    assert.ok(chargedAt && Math.abs(Date.now() - chargedAt.getTime()) < 60_000);
    assert.deepEqual(await ledger.find('key', NEVER), charge);
    assert.equal(await ledger.find('other', NEVER), undefined);
  });

  test('charge with a key that was charged returns the first charge again', async () => {
    const ledger = await opened(suite);
    const first = await ledger.charge(request, NEVER);
    assert.deepEqual(await ledger.charge({ ...request }, NEVER), { charge: first.charge, replayed: true });
  });

  test('charge refuses a key that was charged with another order, amount or currency', async () => {
    const ledger = await opened(suite);
    const first = await ledger.charge(request, NEVER);
    for (const other of [{ orderId: 'else' }, { amountMinor: 4201n }, { currencyCode: 'USD' }]) {
      const reused = (error: unknown) => hasCode(error, status.ALREADY_EXISTS) && error.reason === 'KEY_REUSED';
      await assert.rejects(ledger.charge({ ...request, ...other }, NEVER), reused);
    }
    assert.deepEqual(await ledger.find('key', NEVER), first.charge);
  });

  test('charge charges nothing when its signal has aborted', async () => {
    const ledger = await opened(suite);
    await assert.rejects(ledger.charge(request, AbortSignal.abort('gone')), thrown => thrown === 'gone');
    assert.equal(await ledger.find('key', NEVER), undefined);
  });

  test('charge: of requests that race on several connections one charges and the others get its charge', async () => {
    const location = await suite.locate();
    const ledgers = await Promise.all([0, 1, 2].map(() => opened(suite, location)));
    const racing = ledgers.flatMap(ledger => Array.from({ length: 10 }, () => ledger.charge(request, NEVER)));
    const results = await Promise.all(racing);
    assert.equal(results.filter(({ replayed }) => !replayed).length, 1);
    assert.equal(new Set(results.map(({ charge }) => charge.chargeId)).size, 1);
  });

  test('charge: of processes that race through the same keys one charges each key and the others get its charge', async () => {
    const location = await suite.locate();
    const outputs = await Promise.all([0, 1, 2].map(() => charger(location, 1, 60).lines()));
    const acknowledged = outputs.flat();
    assert.equal(acknowledged.length, 3 * 60);
    assert.equal(acknowledged.filter(({ replayed }) => !replayed).length, 60);
    assert.equal(new Set(acknowledged.map(({ chargeId }) => chargeId)).size, 60);
  });

  test('a charge that was acknowledged is there after its process was killed', async () => {
    const location = await suite.locate();
    const process = charger(location, 1, 1_000_000);
    const acknowledged = await process.lines(100);
    const ledger = await opened(suite, location);
    for (const { key, chargeId } of acknowledged) assert.equal((await ledger.find(key, NEVER))?.chargeId, chargeId);
    assert.ok(acknowledged.length >= 100);
  });

  test('the ledger refuses to change or delete a charge', async () => {
    const location = await suite.locate();
    const ledger = await opened(suite, location);
    const { charge } = await ledger.charge(request, NEVER);
    const database = await suite.open(location);
    const statements = ['UPDATE charges SET amount_minor = 1', 'DELETE FROM charges'];
    if (suite.dialect === 'postgresql') statements.push('TRUNCATE charges');
    for (const statement of statements) await assert.rejects(database.query(statement, [], NEVER), /append-only/);
    assert.deepEqual(await ledger.find('key', NEVER), charge);
  });
});

async function opened(suite: DatabaseTest, location?: DatabaseLocation) {
  return openLedger(await suite.open(location ?? (await suite.locate())));
}

/** Starts a process that charges the keys from `first`. */
function charger(location: DatabaseLocation, first: number, count: number) {
  const program = `${import.meta.dirname}/testing-charger.ts`;
  const args = ['--no-warnings', program, JSON.stringify(location), String(first), String(count)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');

  /** What it acknowledged; at the `killAfter`th line it is killed, as by a crash. */
  async function lines(killAfter = Infinity) {
    const acknowledged: { key: string; chargeId: string; replayed: boolean }[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      const [key = '', chargeId = '', replayed] = line.split(' ');
      acknowledged.push({ key, chargeId, replayed: replayed === 'true' });
      if (acknowledged.length === killAfter) child.kill('SIGKILL');
    }
    const [code] = await exited;
    assert.equal(code, killAfter === Infinity ? 0 : null);
    return acknowledged;
  }

  return { lines };
}
