import { DataqueryBuilder, type PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { prometheus } from './variables.ts';

/** One query of a panel. */
export interface Query {
  readonly expr: string;
  /** The name of each series, with labels as `{{label}}`; a text where there is one series. */
  readonly legend: string;
  /** Whether the calls that were traced are shown as dots that lead to their traces. */
  readonly exemplars?: boolean;
}

/** A {@link Query}. */
export const query = (expr: string, legend: string): Query => ({ expr, legend });

/** A {@link Query} of a histogram whose exemplars are shown. */
export const withExemplars = (expr: string, legend: string): Query => ({ expr, legend, exemplars: true });

/** The queries as Grafana has them, named A, B, C … in their order; `instant`: only the values at the end of the time shown. */
export function targets(queries: readonly Query[], format: PromQueryFormat, instant = false): DataqueryBuilder[] {
  return queries.map(({ expr, legend, exemplars = false }, i) => {
    const target = new DataqueryBuilder()
      .datasource(prometheus)
      .refId(refId(i))
      .expr(expr)
      .legendFormat(legend)
      .format(format)
      .exemplar(exemplars);
    return instant ? target.instant() : target.range();
  });
}

/** The name of the query at `index`, from A. */
export const refId = (index: number): string => String.fromCharCode('A'.charCodeAt(0) + index);
