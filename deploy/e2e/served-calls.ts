import { kubectl } from './kubectl.ts';

/** How many requests the sidecar of each of these pods has brought to its app, health checks included, by its own statistics. */
export async function servedCalls(pods: readonly string[]): Promise<Record<string, number>> {
  return Object.fromEntries(await Promise.all(pods.map(async pod => [pod, await servedBy(pod)] as const)));
}

/** Asks the pod's read-only statistics from within its app container: pods need not be reachable from where the checks run. */
async function servedBy(pod: string): Promise<number> {
  const ask = 'fetch("http://127.0.0.1:15021/stats/prometheus").then(r => r.text()).then(t => console.log(t))';
  const text = await kubectl(['exec', pod, '-c', 'app', '--', 'node', '-e', ask]);
  const line = /^envoy_cluster_upstream_rq_completed\{envoy_cluster_name="app"\} (\d+)$/m.exec(text);
  if (!line) throw new Error(`the sidecar of ${pod} does not count the requests to its app`);
  return Number(line[1]);
}
