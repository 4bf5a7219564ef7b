import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type DashboardLinkBuilder,
  type DatasourceVariableBuilder,
  type QueryVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { type Name, navigation, titles, uidOf } from './links.ts';
import type { PanelBuilder } from './panel.ts';
import { rule } from './promql.ts';
import { datasource, namespace, prometheus } from './variables.ts';

/** A heading and the panels below it. */
export interface Row {
  readonly title: string;
  readonly panels: readonly PanelBuilder[];
}

export interface DashboardOptions {
  readonly name: Name;
  /** The question that it answers. */
  readonly description: string;
  /** Besides the data source and the namespace, which all have. */
  readonly variables: readonly (QueryVariableBuilder | DatasourceVariableBuilder)[];
  /** Besides the links to the other dashboards. */
  readonly links?: readonly DashboardLinkBuilder[];
  readonly rows: readonly Row[];
}

/** The dashboard as Grafana reads it: panels in their order from left to right, numbered from 1, firing alerts as annotations. */
export function dashboard({ name, description, variables, links = [], rows }: DashboardOptions): Dashboard {
  const builder = new DashboardBuilder(`Telltale / ${titles[name]}`)
    .uid(uidOf(name))
    .description(description)
    .tags(['telltale'])
    .time({ from: 'now-30m', to: 'now' })
    .refresh('10s')
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([datasource(), namespace(), ...variables])
    .annotations([alerts()])
    .links([...navigation(name), ...links]);
  let id = 0;
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) builder.withPanel(panel.id(++id));
  }
  return withVisibleLinks(builder.build());
}

/** The builders hide links and annotations in a menu unless told nothing at all, which they cannot be. */
function withVisibleLinks(built: Dashboard): Dashboard {
  for (const item of [...(built.links ?? []), ...(built.annotations?.list ?? [])]) delete item.placement;
  return built;
}

function alerts(): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('Alerts')
    .datasource(prometheus)
    .enable(true)
    .hide(false)
    .iconColor('red')
    .target(new DataqueryBuilder().refId('Anno').expr(rule('ALERTS', 'alertstate="firing"')))
    .expr(rule('ALERTS', 'alertstate="firing"'))
    .titleFormat('{{alertname}}')
    .textFormat('{{service}}{{slo}}')
    .step('30s');
}
