// A process that charges, for the tests of the ledger: `testing-charger.ts <location as JSON> <first key> <number of keys>`.
// Prints a line "<key> <charge id> <replayed>" for each charge as soon as it was acknowledged.
import { type DatabaseLocation, openDatabase } from '../kit/database.ts';
import { openLedger } from './ledger.ts';

const [location = '{}', first, count] = process.argv.slice(2);
const ledger = await openLedger(await openDatabase(JSON.parse(location) as DatabaseLocation));
const signal = new AbortController().signal;

for (let number = Number(first); number < Number(first) + Number(count); number++) {
  const request = {
    idempotencyKey: `key-${number}`,
    orderId: `order-${number}`,
    amountMinor: BigInt(number),
    currencyCode: 'EUR',
  };
  const { charge, replayed } = await ledger.charge(request, signal);
  process.stdout.write(`${request.idempotencyKey} ${charge.chargeId} ${replayed}\n`);
}
process.exit(0); // a pool of connections would keep it
