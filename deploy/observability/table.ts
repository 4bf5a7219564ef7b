import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { type About, describe, type Limits, steps } from './panel.ts';
import { query, refId, targets } from './query.ts';

/** A column of numbers. */
export interface Column {
  readonly name: string;
  /** A sum by exactly the labels of the table's rows. */
  readonly expr: string;
  readonly unit: string;
  readonly limits?: Limits;
}

export interface TableOptions extends About {
  /** The labels that make a row, each with the name of its column. */
  readonly rows: Readonly<Record<string, string>>;
  readonly columns: readonly Column[];
}

/** A row for each combination of labels, at the end of the time shown. */
export function table(options: TableOptions): Table {
  const { rows, columns } = options;
  const panel = describe(new Table(), options, 24, 9)
    .targets(
      targets(
        columns.map(({ expr, name }) => query(expr, name)),
        PromQueryFormat.Table,
        true,
      ),
    )
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'organize', options: organize(rows, columns) });
  for (const { name, unit, limits } of columns)
    panel.overrideByName(name, [
      { id: 'unit', value: unit },
      ...(limits === undefined
        ? []
        : [
            { id: 'thresholds', value: steps(limits).build() },
            { id: 'custom.cellOptions', value: { type: 'color-text' } },
          ]),
    ]);
  return panel;
}

function organize(rows: Readonly<Record<string, string>>, columns: readonly Column[]): object {
  // A single query keeps its plain name; only several are told apart by their letters.
  const value = (i: number) => (columns.length === 1 ? 'Value' : `Value #${refId(i)}`);
  const fields = [...Object.keys(rows), ...columns.map((_, i) => value(i))];
  return {
    excludeByName: { Time: true },
    indexByName: Object.fromEntries(fields.map((field, i) => [field, i])),
    renameByName: { ...rows, ...Object.fromEntries(columns.map(({ name }, i) => [value(i), name])) },
  };
}
