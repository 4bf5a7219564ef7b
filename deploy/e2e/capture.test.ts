import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Capture, captureWhile, waysOf } from '../local/testing-capture.ts';
import { revision, rollback, upgrade } from './helm.ts';
import { podsOf } from './kubectl.ts';
import { report, withLoad } from './load-pod.ts';
import { type NodePod, startNodePod } from './node-pod.ts';

/** What orders are for, in these checks: it goes from the edge through every hop into the database. */
const CANARY = 'canary-4f1c9a';
const SECONDS = 20;
const EDGE = 8080;

describe('a capture of all that goes between pods', () => {
  let node: NodePod;
  before(async () => {
    node = await startNodePod();
  });
  after(() => node?.[Symbol.asyncDispose]());

  /** Captures while orders are placed; the canary must have come in by the edge, which speaks plain text here. */
  async function captured(t: Parameters<typeof report>[0]): Promise<Capture> {
    let capture: Capture | undefined;
    const result = await withLoad(
      { address: `edge:${EDGE}`, ordersOfTen: 10, rate: 10, deadlineMs: 20_000, sku: CANARY },
      async () => {
        await wait(2000);
        capture = await captureWhile(node.capture(SECONDS, CANARY), async () => {});
      },
    );
    report(t, result);
    assert.ok(result.latenciesMs.length > 0);
    assert.ok(capture && waysOf(capture.hits, EDGE) > 0, 'the capture has not seen the edge');
    for (const service of ['users', 'orders', 'payments', 'storefront', 'postgresql'])
      for (const { status } of await podsOf(service))
        assert.ok(
          Object.keys(capture.packets).some(way => way.includes(`${status.podIP}:`)),
          `nothing to ${service}`,
        );
    return capture;
  }

  it('has no byte of an order in it but at the edge', async t => {
    const { packets, hits } = await captured(t);
    const inside = Object.keys(hits).filter(way => waysOf({ [way]: 1 }, EDGE) === 0);
    t.diagnostic(`${Object.keys(packets).length} ways, ${waysOf(hits, EDGE)} of the edge's with the canary`);
    assert.deepEqual(inside, []);
  });

  it('has them at every hop when mTLS is off', async t => {
    const had = await revision();
    assert.ok(had !== undefined, 'the control needs a release of Helm');
    await upgrade({ mtls: 'false' });
    try {
      const { hits } = await captured(t);
      assert.ok(waysOf(hits, 50051) > 0 && waysOf(hits, 5432) > 0);
    } finally {
      await rollback(had);
    }
  });
});
