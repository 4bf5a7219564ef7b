import { serverErrorNames } from './grpc-codes.ts';

/** Matchers that follow the variables of a dashboard. */
export const inService = 'service=~"$service"';
export const ofMethod = 'grpc_method=~"$grpc_method"';

/** Matches the calls that count against the server. */
export const serverErrors = `grpc_status=~"${serverErrorNames}"`;

/** Matches the clusters of Envoy that carry the mesh's calls: not its own admin interface, not the collector of traces. */
export const meshClusters = 'envoy_cluster_name!~"admin|otlp"';

/** A selector of what the apps export, within the namespace of the dashboard. */
export const app = (metric: string, ...matchers: string[]): string => select(metric, 'job="app"', ...matchers);

/** A selector of what Envoys export, edge and sidecars. */
export const envoy = (metric: string, ...matchers: string[]): string => select(metric, 'job="envoy"', ...matchers);

/** A selector of what has no job: recording rules and alerts. */
export const rule = (metric: string, ...matchers: string[]): string => select(metric, ...matchers);

function select(metric: string, ...matchers: string[]): string {
  return `${metric}{${['namespace="$namespace"', ...matchers].join(', ')}}`;
}

/** The rate per second over the interval that Grafana finds fit for the scrape interval and the width of the panel. */
export const rate = (counter: string): string => `rate(${counter}[$__rate_interval])`;

/** The sum of `expr` for each of the labels `by` ("a, b"; "" for one sum). */
export const sum = (by: string, expr: string): string => aggregate('sum', by, expr);

/** The greatest of `expr`, as {@link sum}. */
export const max = (by: string, expr: string): string => aggregate('max', by, expr);

/** The mean of `expr`, as {@link sum}. */
export const avg = (by: string, expr: string): string => aggregate('avg', by, expr);

function aggregate(operator: string, by: string, expr: string): string {
  return by === '' ? `${operator}(${expr})` : `${operator} by (${by}) (${expr})`;
}

/** The quantile `q` of a histogram, of which `buckets` selects the `_bucket` series; in the histogram's own unit. */
export const quantile = (q: number, by: string, buckets: string): string =>
  `histogram_quantile(${q}, ${sum(by === '' ? 'le' : `le, ${by}`, rate(buckets))})`;

/** The share of `part` in `whole`, both counters, from 0 to 1; 0 and not nothing while no part has been counted. */
export function shareOf(by: string, part: string, whole: string): string {
  const all = sum(by, rate(whole));
  return `(${sum(by, rate(part))} or 0 * ${all}) / ${all}`;
}
