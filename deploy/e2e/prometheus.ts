import { portForward } from './kubectl.ts';

/** One series of an answer: its labels, and its value at the end. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** Prometheus' query API, brought to this machine. */
export interface Prometheus extends Disposable {
  /** What an expression is now; throws what Prometheus said when it is wrong. */
  query(expression: string): Promise<Series[]>;
  /** The labels of the exemplars of the last five minutes, the newest first. */
  exemplars(expression: string): Promise<Record<string, string>[]>;
}

/** Connects to the Prometheus of the release. */
export async function connectPrometheus(): Promise<Prometheus> {
  const forward = await portForward('service/prometheus', 9090);
  const ask = async (path: string, parameters: Record<string, string>) => {
    const answer = await fetch(`http://${forward.address}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { data, error } = (await answer.json()) as { data: unknown; error?: string };
    if (error) throw new Error(`${error}: ${parameters.query}`);
    return data;
  };
  return {
    [Symbol.dispose]: () => forward[Symbol.dispose](),
    query: async query => {
      const { result, resultType } = (await ask('query', { query })) as { result: Series[]; resultType: string };
      return resultType === 'vector' ? result : [{ metric: {}, value: result as unknown as Series['value'] }];
    },
    exemplars: async query => {
      const [end, start] = [Date.now() / 1000, Date.now() / 1000 - 300];
      const series = (await ask('query_exemplars', { query, start: `${start}`, end: `${end}` })) as {
        exemplars: { labels: Record<string, string>; timestamp: number }[];
      }[];
      const exemplars = series.flatMap(found => found.exemplars).sort((a, b) => b.timestamp - a.timestamp);
      return exemplars.map(({ labels }) => labels);
    },
  };
}
