import { DashboardLinkBuilder, DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard';
import { reference } from './variables.ts';

/** The dashboards: the last part of their uid, which is also the name of their file, and their title. */
export const titles = {
  mesh: 'Mesh overview',
  service: 'Service',
  multiplexing: 'Multiplexing',
  deadlines: 'Deadlines',
  envoy: 'Envoy',
  node: 'Node runtime',
} as const;

/** The name of a dashboard. */
export type Name = keyof typeof titles;

/** The uid of a dashboard; links and bookmarks rest on it. */
export const uidOf = (name: Name): string => `telltale-${name}`;

/** The links at the top of a dashboard: to the others, with the same variables and time. */
export const navigation = (from: Name): DashboardLinkBuilder[] =>
  (Object.keys(titles) as Name[])
    .filter(name => name !== from)
    .map(name =>
      new DashboardLinkBuilder(titles[name])
        .type(DashboardLinkType.Link)
        .icon('dashboard')
        .tooltip(`The dashboard "${titles[name]}", with the same variables and time`)
        .url(`/d/${uidOf(name)}`)
        .includeVars(true)
        .keepTime(true),
    );

/** A link from a value to a dashboard; `variables` are set there, each to a text that may hold a {@link reference}. */
export function drillDown(to: Name, title: string, variables: Readonly<Record<string, string>>): DashboardLinkBuilder {
  const set = { datasource: reference('datasource'), namespace: reference('namespace'), ...variables };
  const query = Object.entries(set).map(([name, value]) => `var-${name}=${value}`);
  return new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .url(`/d/${uidOf(to)}?${[...query, reference('__url_time_range')].join('&')}`);
}

/** The link to the traces of the dashboard's service, in Explore, by the data source of the variable `traces`. */
export function tracesLink(): DashboardLinkBuilder {
  const query = { refId: 'A', queryType: 'search', service: reference('service'), limit: 20 };
  const pane = {
    datasource: reference('traces'),
    queries: [query],
    range: { from: reference('__from'), to: reference('__to') },
  };
  // Encoded but for the variables, which Grafana would not find otherwise.
  const panes = encodeURIComponent(JSON.stringify({ traces: pane })).replace(/%24%7B(\w+)%7D/g, (_, name: string) =>
    reference(name),
  );
  return new DashboardLinkBuilder('Traces of this service')
    .type(DashboardLinkType.Link)
    .icon('external link')
    .tooltip('Searches for the traces of the service in the time shown')
    .url(`/explore?schemaVersion=1&panes=${panes}`)
    .targetBlank(true);
}
