import { kubectl, kubectlJson, NAMESPACE } from './kubectl.ts';

/** What a kubelet says at /stats/summary, as far as it is read here. */
interface Summary {
  pods: { podRef: { name: string; namespace: string }; containers: { name: string; memory: { workingSetBytes: number } }[] }[];
}

/** The memory of each container of the namespace that the system could not take back at once, in bytes, by "<pod> <container>". */
export async function workingSets(): Promise<Map<string, number>> {
  const nodes = await kubectlJson<{ items: { metadata: { name: string } }[] }>('get', 'nodes');
  const summaries = await Promise.all(
    nodes.items.map(
      async ({ metadata }): Promise<Summary> =>
        JSON.parse(await kubectl(['get', '--raw', `/api/v1/nodes/${metadata.name}/proxy/stats/summary`])),
    ),
  );
  return new Map(
    summaries
      .flatMap(({ pods }) => pods)
      .filter(({ podRef }) => podRef.namespace === NAMESPACE)
      .flatMap(({ podRef, containers }) =>
        containers.map(({ name, memory }) => [`${podRef.name} ${name}`, memory.workingSetBytes] as const),
      ),
  );
}
