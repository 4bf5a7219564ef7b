import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';

/** What Grafana replaces by the value of a variable, a label (`__field.labels.x`) or a column (`__data.fields.X`). */
export const reference = (name: string): string => `\${${name}}`;

/** The Prometheus of every panel, by variable: a dashboard names no data source of an installation. */
export const prometheus = { type: 'prometheus', uid: reference('datasource') };

/** Which Prometheus; the first by default. */
export const datasource = (): DatasourceVariableBuilder =>
  new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');

/** Which Jaeger, for links to traces; the first by default. */
export const traces = (): DatasourceVariableBuilder => new DatasourceVariableBuilder('traces').label('Traces').type('jaeger');

/** Which release, by its Kubernetes namespace. */
export const namespace = (): QueryVariableBuilder =>
  values('namespace', 'Namespace', 'label_values(up{job=~"app|envoy"}, namespace)');

/** Which service, of those whose `job` (app or envoy; the edge has only the latter) is scraped; `many`: any number of them. */
export const service = (job: 'app' | 'envoy', many: boolean): QueryVariableBuilder => {
  const variable = values('service', 'Service', `label_values(up{job="${job}", namespace="$namespace"}, service)`);
  return many ? any(variable) : variable;
};

/** Which methods, of those that the chosen services have answered; all by default. */
export const grpcMethod = (): QueryVariableBuilder =>
  any(
    values(
      'grpc_method',
      'Method',
      'label_values(grpc_server_call_started_total{job="app", namespace="$namespace", service=~"$service"}, grpc_method)',
    ),
  );

function values(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(prometheus)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

function any(variable: QueryVariableBuilder): QueryVariableBuilder {
  return variable
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ text: ['All'], value: ['$__all'] });
}
