import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { scriptMetadata } from '../../services/kit/experiment.ts';
import { CALLEES } from './testing-access.ts';
import { type Capture, captureArguments, captureWhile, hitsOf, TEXTS, waysAt } from './testing-capture.ts';
import { startTestMesh } from './testing-mesh.ts';

const SECONDS = 4;
const ORDERS = 10;
/** The one port of a pod that another pod calls; every other in a pod is its own, on its loopback address. */
const MESH_PORT = 50051;
const APP_PORT = 50052;

/** What was seen of a mesh on this machine's loopback, and where its pods were, by service. */
interface Captured {
  readonly capture: Capture;
  readonly addresses: ReadonlyMap<string, string[]>;
}

/** Captures while orders are placed in a mesh with these values; every pod must have been called, and every app have been sent its text. */
async function captured(...values: string[]): Promise<Captured> {
  await using mesh = await startTestMesh({ values });
  const storefront = mesh.client(Storefront);
  const sku = TEXTS.order.toString();
  const metadata = scriptMetadata([], sku); // a run, so that records go to the lab
  const command = ['perl', join(import.meta.dirname, 'capture.pl'), ...captureArguments(SECONDS)];
  const capture = await captureWhile(command, async () => {
    for (let n = 0; n < ORDERS; n++) {
      const lines = [{ sku, quantity: 1, unitPriceMinor: 1n }];
      const order = { orderId: `${sku}-${n}`, userId: 123, lines, currencyCode: 'EUR' };
      await storefront.placeOrder({ order }, { deadline: deadlineIn(10_000), metadata });
    }
  });
  for (const { name, address } of mesh.all())
    assert.ok(waysAt(capture.packets, MESH_PORT, [address]).length > 0, `nothing to ${name}`);
  const addresses = new Map(CALLEES.map(name => [name, mesh.pods(name).map(({ address }) => address)]));
  for (const callee of CALLEES)
    assert.ok(waysAt(hitsOf(capture, callee), APP_PORT, addresses.get(callee)).length > 0, `nothing seen at ${callee}'s app`);
  return { capture, addresses };
}

const mayNot = (t: TestContext): boolean => {
  const skipped = process.getuid?.() !== 0 && process.env.CI !== 'true';
  if (skipped) t.skip('only root may capture');
  return skipped;
};

it('a capture of all that goes between pods, the lab among them, has neither an order nor a user in it, and has missed nothing', async t => {
  if (mayNot(t)) return;
  const { capture, addresses } = await captured();
  const all = [...addresses.values()].flat();
  t.diagnostic(`${waysAt(capture.packets, MESH_PORT, all).length} ways between pods`);
  for (const [n, text] of Object.keys(TEXTS).entries()) {
    t.diagnostic(`${text}: on ${waysAt(capture.hits[n] ?? {}, APP_PORT, all).length} ways within pods`);
    assert.deepEqual(waysAt(capture.hits[n] ?? {}, MESH_PORT, all), [], text);
  }
});

it('has them on the way to each service when mTLS is off, the control', async t => {
  if (mayNot(t)) return;
  const { capture, addresses } = await captured('--set', 'mtls=false');
  for (const callee of CALLEES) {
    const ways = waysAt(hitsOf(capture, callee), MESH_PORT, addresses.get(callee));
    t.diagnostic(`${callee}: on ${ways.length} ways`);
    assert.ok(ways.length > 0, callee);
  }
});
