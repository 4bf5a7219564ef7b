import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { CARRIED, type Capture, captureWhile, hitsOf, TEXTS, waysAt } from '../local/testing-capture.ts';
import { revision, rollback, upgrade } from './helm.ts';
import { podsOf } from './kubectl.ts';
import { report, withLoad } from './load-pod.ts';
import { type NodePod, startNodePod } from './node-pod.ts';

const SECONDS = 20;
/** The ports at which the edge, the services and, without mTLS, the database are called. */
const [EDGE, MESH, DATABASE] = [8080, 50051, 5432];

describe('a capture of all that goes between pods', () => {
  let node: NodePod;
  before(async () => {
    node = await startNodePod();
  });
  after(() => node?.[Symbol.asyncDispose]());

  const addressesOf = async (name: string) => (await podsOf(name)).map(({ status: { podIP = '' } }) => podIP);

  /** Captures while orders are placed; they must have come in by the edge, which speaks plain text here, and every pod have been called. */
  async function captured(t: Parameters<typeof report>[0]): Promise<Capture> {
    let capture: Capture | undefined;
    const text = TEXTS.order.toString();
    const load = {
      address: `edge:${EDGE}`,
      ordersOfTen: 5,
      rate: 10,
      deadlineMs: 20_000,
      sku: text,
      mark: text,
      userId: 123,
    };
    const result = await withLoad(load, async () => {
      await wait(2000);
      capture = await captureWhile(node.capture(SECONDS), async () => {});
    });
    report(t, result);
    assert.ok(result.answers.length > 0);
    assert.ok(capture);
    for (const hits of capture.hits) assert.ok(waysAt(hits, EDGE).length > 0, 'the capture has not seen the edge');
    for (const name of Object.keys(CARRIED))
      for (const address of await addressesOf(name)) {
        const ways = [MESH, DATABASE].flatMap(port => waysAt(capture?.packets ?? {}, port, [address]));
        assert.ok(ways.length > 0, `nothing to ${name}`);
      }
    return capture;
  }

  it('has neither an order nor a user in it but at the edge, and has missed nothing', async t => {
    const { packets, hits } = await captured(t);
    for (const [n, text] of Object.keys(TEXTS).entries()) {
      const atEdge = waysAt(hits[n] ?? {}, EDGE);
      const inside = Object.keys(hits[n] ?? {}).filter(way => !atEdge.includes(way));
      t.diagnostic(`${text}: on ${atEdge.length} of ${Object.keys(packets).length} ways, the edge's`);
      assert.deepEqual(inside, [], text);
    }
  });

  it('has them on the way to each service and to the database when mTLS is off, the control', async t => {
    const had = await revision();
    assert.ok(had !== undefined, 'the control needs a release of Helm');
    await upgrade({ mtls: 'false' });
    try {
      const capture = await captured(t);
      for (const callee of Object.keys(CARRIED)) {
        const port = callee === 'postgresql' ? DATABASE : MESH;
        const ways = waysAt(hitsOf(capture, callee), port, await addressesOf(callee));
        t.diagnostic(`${callee}: on ${ways.length} ways`);
        assert.ok(ways.length > 0, callee);
      }
    } finally {
      await rollback(had);
    }
  });
});
