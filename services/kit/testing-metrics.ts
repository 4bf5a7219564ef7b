import { readMetrics } from './metrics.ts';

/** The values of this process's metrics, or of a text of metrics, by name and labels as they are written: `name{a="b"}`. */
export async function metricValues(text?: string): Promise<Map<string, number>> {
  const lines = (text ?? (await readMetrics())).split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map(line => {
      const [, series = '', value] = /^(\S+?(?:\{.*?\})?) (\S+)/.exec(line) ?? [];
      return [series, Number(value)];
    }),
  );
}

/** How much each of these series grows while `work` is done. */
export async function growthOf(series: readonly string[], work: () => Promise<unknown>): Promise<number[]> {
  const before = await metricValues();
  await work();
  const after = await metricValues();
  return series.map(name => (after.get(name) ?? 0) - (before.get(name) ?? 0));
}
