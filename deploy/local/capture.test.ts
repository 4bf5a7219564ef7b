import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { type Capture, captureWhile, waysOf } from './testing-capture.ts';
import { startTestMesh } from './testing-mesh.ts';

/** What orders are for, in these checks: it goes from the edge through every hop. */
const CANARY = 'canary-8d27e1';
const SECONDS = 4;
const ORDERS = 10;
/** The one port of a pod that another pod calls; every other in a pod is its own, on its loopback address. */
const MESH_PORT = 50051;
const APP_PORT = 50052;

/** Captures everything on this machine's loopback while orders are placed in a mesh of this chart. */
async function captured(...values: string[]): Promise<Capture> {
  await using mesh = await startTestMesh({ values });
  const storefront = mesh.client(Storefront);
  const capture = await captureWhile(['perl', join(import.meta.dirname, 'capture.pl'), String(SECONDS), CANARY], async () => {
    for (let n = 0; n < ORDERS; n++) {
      const lines = [{ sku: CANARY, quantity: 1, unitPriceMinor: 1n }];
      const order = { orderId: `o-capture-${n}`, userId: 123, lines, currencyCode: 'EUR' };
      await storefront.placeOrder({ order }, { deadline: deadlineIn(10_000) });
    }
  });
  for (const service of ['storefront', 'orders', 'payments'])
    assert.ok(
      mesh
        .pods(service)
        .some(({ address }) => Object.keys(capture.packets).some(way => way.includes(`${address}:${MESH_PORT}`))),
      `nothing to ${service}`,
    );
  assert.ok(waysOf(capture.hits, APP_PORT) > 0, 'the capture has not seen the apps');
  return capture;
}

const mayNot = (t: TestContext): boolean => {
  const skipped = process.getuid?.() !== 0 && process.env.CI !== 'true';
  if (skipped) t.skip('only root may capture');
  return skipped;
};

it('a capture of all that goes between pods has no byte of an order in it', async t => {
  if (mayNot(t)) return;
  const { packets, hits } = await captured();
  t.diagnostic(`${waysOf(packets, MESH_PORT)} ways between pods, ${waysOf(hits, APP_PORT)} ways within one with the canary`);
  assert.equal(waysOf(hits, MESH_PORT), 0);
});

it('has them between pods when mTLS is off, the control', async t => {
  if (mayNot(t)) return;
  const { hits } = await captured('--set', 'mtls=false');
  assert.ok(waysOf(hits, MESH_PORT) > 0);
});
