import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { dashboards } from '../observability/dashboards.ts';
import { exampleValues, queriesOf } from '../observability/queries.ts';
import { NAMESPACE, podsOf, settled, until } from './kubectl.ts';
import { type NodePod, startNodePod } from './node-pod.ts';
import { connectPrometheus, type Prometheus } from './prometheus.ts';

const firing = (alert: string) => `ALERTS{alertname="${alert}",alertstate="firing",namespace="${NAMESPACE}"}`;
const panel = queriesOf(dashboards, { ...exampleValues, namespace: NAMESPACE }).find(({ panel }) => panel === 'Firing alerts');

/** What is frozen until the alert fires: processes of these pods, by a text of their command line. */
const causes = {
  ServiceUnreachable: { part: 'users', commandLine: 'services/users/main.ts' },
  EdgeUnreachable: { part: 'edge', commandLine: 'envoy.yaml' },
};

describe('alerts', { concurrency: true }, () => {
  let prometheus: Prometheus;
  let node: NodePod;
  before(async () => {
    prometheus = await connectPrometheus();
    node = await startNodePod();
  });
  after(async () => {
    prometheus?.[Symbol.dispose]();
    await node?.[Symbol.asyncDispose]();
    await settled();
  });

  for (const [alert, { part, commandLine }] of Object.entries(causes)) {
    it(`${alert} fires while ${part} is frozen, stands on the dashboard, and resolves`, async () => {
      const fires = async () => (await prometheus.query(firing(alert))).length > 0;
      const signal = async (name: 'SIGSTOP' | 'SIGCONT') => {
        for (const pod of await podsOf(part)) await node.signal(pod, commandLine, name);
      };
      assert.equal(await fires(), false);
      try {
        await until(`${alert} fires`, 180_000, async () => {
          await signal('SIGSTOP'); // also what the kubelet has restarted
          await wait(1000);
          return fires();
        });
        assert.ok((await prometheus.query(panel?.expr ?? '')).some(({ metric }) => metric.alertname === alert));
      } finally {
        await signal('SIGCONT');
      }
      await until(`${alert} resolves`, 120_000, async () => !(await fires()));
    });
  }
});
