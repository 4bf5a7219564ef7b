import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { emptyIsGood } from './empty-is-good.ts';

/** A query as Prometheus would get it. */
export interface PanelQuery {
  /** The uid of the dashboard. */
  readonly dashboard: string;
  /** The title of the panel. */
  readonly panel: string;
  /** The query's letter within its panel. */
  readonly refId: string;
  /** PromQL without variables. */
  readonly expr: string;
  /** Why it may well have no data ({@link emptyIsGood}); undefined when it must have some while calls are made. */
  readonly mayBeEmpty: string | undefined;
}

/** Values of variables by name, Grafana's own such as `__rate_interval` among them. */
export type Values = Readonly<Record<string, string>>;

/** Values with which every query that must have data has some, once each method of the mesh has been called: orders is asked, asks and stores. */
export const exampleValues: Values = {
  namespace: 'telltale',
  service: 'orders',
  grpc_method: '.+',
  __rate_interval: '1m',
};

/** Every query of every panel, with its variables replaced by `values`. Throws an `Error` that names a variable without a value. */
export function queriesOf(dashboards: readonly Dashboard[], values: Values = exampleValues): PanelQuery[] {
  return dashboards.flatMap(dashboard =>
    panelsOf(dashboard).flatMap(panel =>
      targetsOf(panel).map(({ refId, expr }) => {
        const where = { dashboard: dashboard.uid ?? '', panel: panel.title ?? '' };
        return { ...where, refId, expr: fillIn(expr, values), mayBeEmpty: reasonOf(where.dashboard, where.panel) };
      }),
    ),
  );
}

/** The panels of a dashboard without its rows. */
export function panelsOf({ panels = [] }: Dashboard): Panel[] {
  return panels.flatMap(panel => (isRow(panel) ? panel.panels : [panel]));
}

/** The queries of a panel as they are written, with variables. */
export function targetsOf(panel: Panel): { refId: string; expr: string }[] {
  return (panel.targets ?? []) as unknown as { refId: string; expr: string }[];
}

/** Replaces `$name` and `${name}`; `$1` is PromQL's own. Throws an `Error` that names a variable without a value. */
export function fillIn(text: string, values: Values): string {
  return text.replace(/\$\{([a-z_]\w*)\}|\$([a-z_]\w*)/gi, (found, braced?: string, plain?: string) => {
    const value = values[braced ?? plain ?? ''];
    if (value === undefined) throw new Error(`no value for the variable ${found} in ${text}`);
    return value;
  });
}

function isRow(panel: Panel | RowPanel): panel is RowPanel {
  return panel.type === 'row';
}

function reasonOf(uid: string, title: string): string | undefined {
  return emptyIsGood.find(({ dashboard, panel }) => dashboard === uid && panel === title)?.reason;
}
