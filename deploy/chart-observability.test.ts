import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { type ChartObject, named, podSpecs, renderObjects } from './chart-objects.ts';
import { relabelled, type ScrapeConfig } from './chart-relabel.ts';
import { chart } from './run-helm.ts';

const files = join(chart, 'charts', 'observability', 'files');
const filesOf = (pattern: string) =>
  new Map(globSync(join(files, pattern)).map(path => [basename(path), readFileSync(path, 'utf8')] as const));

/** A key of a ConfigMap. */
function textOf(objects: readonly ChartObject[], name: string, key: string): string {
  const text = named(objects, 'ConfigMap').get(name)?.data?.[key];
  assert.ok(text !== undefined, `no ${key} in the ConfigMap ${name}`);
  return text;
}

interface DataSources {
  datasources: {
    uid: string;
    url: string;
    jsonData: { exemplarTraceIdDestinations?: { name: string; datasourceUid: string }[]; tracesToMetrics?: TracesToMetrics };
  }[];
}
interface TracesToMetrics {
  datasourceUid: string;
  queries: { query: string }[];
}
const dataSources = (objects: readonly ChartObject[]) =>
  (parse(textOf(objects, 'grafana', 'datasources.yaml')) as DataSources).datasources;
const scrapeConfigs = (objects: readonly ChartObject[]) =>
  (parse(textOf(objects, 'prometheus', 'prometheus.yaml')) as { scrape_configs: ScrapeConfig[] }).scrape_configs;
const namesOf = (objects: readonly ChartObject[]) => new Set(objects.map(({ metadata }) => metadata.name));

describe('each part can be switched off', () => {
  it('Jaeger: no spans are made, and nobody looks for them', async () => {
    const objects = await renderObjects('observability.jaeger.enabled=false');
    assert.ok(!namesOf(objects).has('jaeger'));
    const envoys = ['edge', 'users'].map(name => textOf(objects, `${name}-envoy`, 'envoy.yaml'));
    for (const text of envoys) assert.ok(!/envoy\.tracers|name: otlp/.test(text));
    const variables = podSpecs(objects)
      .get('users')
      ?.containers.flatMap(({ env = [] }) => env.map(({ name }) => name));
    assert.deepEqual(
      variables?.filter(name => name.startsWith('OTEL_')),
      [],
    );
    assert.deepEqual(
      dataSources(objects).map(({ uid, jsonData }) => [uid, jsonData.exemplarTraceIdDestinations]),
      [['prometheus', undefined]],
    );
    assert.ok(!scrapeConfigs(objects).some(({ job_name }) => job_name === 'jaeger'));
  });

  it('Prometheus: nobody has a right or a token, and no pod can be asked for metrics', async () => {
    const objects = await renderObjects('observability.prometheus.enabled=false,mtls=false');
    assert.ok(!namesOf(objects).has('prometheus') && !namesOf(objects).has('prometheus-rules'));
    assert.ok(![...podSpecs(objects).values()].some(spec => spec.automountServiceAccountToken));
    const open = [...named(objects, 'NetworkPolicy').values()].flatMap(({ spec }) => spec?.ingress ?? []);
    assert.ok(!open.some(({ ports }) => ports?.some(({ port }) => port === 9464 || port === 15021)));
    assert.deepEqual(
      dataSources(objects).map(({ uid, jsonData }) => [uid, jsonData.tracesToMetrics]),
      [['jaeger', undefined]],
    );
  });

  it('Grafana: no dashboards and no password', async () => {
    const names = [...namesOf(await renderObjects('observability.grafana.enabled=false'))];
    assert.deepEqual(
      names.filter(name => name.startsWith('grafana')),
      [],
    );
  });

  it('all of it: what is left is the mesh', async () => {
    const [all, none] = [await renderObjects(), await renderObjects('observability.enabled=false')];
    const gone = [...namesOf(all)].filter(name => !namesOf(none).has(name) && !name.startsWith('grafana-dashboard-'));
    assert.deepEqual(gone.sort(), ['grafana', 'jaeger', 'prometheus', 'prometheus-rules']);
  });
});

describe('Grafana', () => {
  it('is led from points to traces and from spans to metrics, by data sources that it has', async () => {
    const sources = dataSources(await renderObjects());
    const uids = sources.map(({ uid }) => uid);
    assert.deepEqual(uids, ['prometheus', 'jaeger']);
    const [prometheus, jaeger] = sources;
    assert.deepEqual(prometheus?.jsonData.exemplarTraceIdDestinations, [{ name: 'trace_id', datasourceUid: 'jaeger' }]);
    assert.equal(jaeger?.jsonData.tracesToMetrics?.datasourceUid, 'prometheus');
    for (const { query } of jaeger.jsonData.tracesToMetrics.queries) assert.doesNotMatch(query, /(?<!\$)\$(?!\$)/);
  });

  it('has every dashboard as its file has it, and no dashboard names a data source that it has not', async () => {
    const objects = await renderObjects();
    const dashboards = filesOf('dashboards/*.json');
    assert.ok(dashboards.size > 0);
    const mounted = JSON.stringify(podSpecs(objects).get('grafana')?.volumes);
    for (const [file, text] of dashboards) {
      const name = `grafana-dashboard-${file.replace('.json', '')}`;
      assert.deepEqual(JSON.parse(textOf(objects, name, file)), JSON.parse(text));
      assert.equal(named(objects, 'ConfigMap').get(name)?.metadata.labels?.grafana_dashboard, '1');
      assert.ok(mounted.includes(`{"configMap":{"name":"${name}"}}`), name);
      // As Grafana's own annotations and the dashboards' variables have it.
      const known = ['prometheus', 'jaeger', '-- Grafana --'];
      for (const uid of dataSourceUids(JSON.parse(text))) assert.ok(known.includes(uid) || uid.startsWith('${'), uid);
    }
  });

  it('asks a Prometheus and a Jaeger elsewhere when they are named, and may reach their ports', async () => {
    const values = 'observability.grafana={"prometheusUrl":"https://p.example/x","jaegerUrl":"http://j:99"}';
    const objects = await renderObjects(values);
    assert.deepEqual(
      dataSources(objects).map(({ url }) => url),
      ['https://p.example/x', 'http://j:99'],
    );
    const egress = named(objects, 'NetworkPolicy').get('grafana')?.spec?.egress ?? [];
    const reached = egress.map(({ to, ports }) => [to, ports?.map(({ port }) => port)]);
    assert.deepEqual(reached, [
      [undefined, [53, 53]],
      [undefined, [443]],
      [undefined, [99]],
    ]);
  });

  it('has a password that is made once and kept, or somebody else’s', async () => {
    const secret = named(await renderObjects(), 'Secret').get('grafana');
    assert.match(secret?.stringData?.password ?? '', /^[A-Za-z0-9]{32}$/);
    assert.equal(secret?.metadata.annotations?.['helm.sh/resource-policy'], 'keep');
    const objects = await renderObjects('observability.grafana.existingSecret="mine"');
    assert.equal(named(objects, 'Secret').get('grafana'), undefined);
    assert.match(JSON.stringify(podSpecs(objects).get('grafana')?.volumes), /"secretName":"mine"/);
  });
});

describe('Prometheus', () => {
  it('has the rules as their files have them, braces and all, and the operator has them, too', async () => {
    const rules = filesOf('rules/*.yaml');
    assert.ok([...rules.values()].some(text => text.includes('{{ $labels.')));
    const objects = await renderObjects('observability.operator.rules=true');
    assert.deepEqual(named(objects, 'ConfigMap').get('prometheus-rules')?.data, Object.fromEntries(rules));
    for (const [file, text] of rules) {
      const spec = named(objects, 'PrometheusRule').get(`telltale-${file.replace('.yaml', '')}`)?.spec;
      assert.deepEqual(spec, parse(text));
    }
  });

  it('finds each app and each Envoy once, with the labels namespace, service and pod', async () => {
    const objects = await renderObjects();
    const targets = [...podSpecs(objects)].flatMap(([service, spec]) =>
      [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ name, ports = [] }) =>
        ports.map(({ containerPort }) => ({
          __meta_kubernetes_namespace: 'telltale',
          __meta_kubernetes_pod_name: `${service}-1`,
          __meta_kubernetes_pod_phase: 'Running',
          __meta_kubernetes_pod_label_app_kubernetes_io_name: service,
          __meta_kubernetes_pod_container_name: name,
          __meta_kubernetes_pod_container_port_number: String(containerPort),
        })),
      ),
    );
    const found = (job: string) => {
      const config = scrapeConfigs(objects).find(({ job_name }) => job_name === job);
      assert.ok(config);
      const ended = targets.map(target => ({ ...target, __meta_kubernetes_pod_phase: 'Succeeded' }));
      return [...targets, ...ended].map(target => relabelled(config, target)).filter(labels => labels !== undefined);
    };
    const labels = (service: string) => ({ namespace: 'telltale', service, pod: `${service}-1` });
    const services = ['orders', 'payments', 'storefront', 'users'];
    assert.deepEqual(found('app'), services.map(labels));
    assert.deepEqual(
      found('envoy')
        .map(({ service }) => service)
        .sort(),
      ['edge', 'postgresql', ...services].sort(),
    );
    assert.deepEqual(
      found('envoy').find(({ service }) => service === 'edge'),
      labels('edge'),
    );
  });

  it('is told of the same pods and labels when the operator runs it, and is let in', async () => {
    const values =
      'observability.operator={"podMonitors":true,"labels":{"release":"kps"}},observability.prometheus.enabled=false';
    const objects = await renderObjects(values);
    const monitors = named(objects, 'PodMonitor');
    assert.deepEqual([...monitors.keys()].sort(), ['app', 'envoy']);
    for (const { metadata } of monitors.values()) assert.equal(metadata.labels?.release, 'kps');
    const [peer] = named(objects, 'NetworkPolicy').get('edge')?.spec?.ingress?.at(-1)?.from ?? [];
    assert.deepEqual(peer?.namespaceSelector, {});
    assert.equal(peer?.podSelector.matchLabels['app.kubernetes.io/managed-by'], 'prometheus-operator');
  });
});

describe('spans', () => {
  const values = 'tracing={"collector":"10.1.2.3","grpcPort":14317,"httpPort":14318,"samplingPercent":12.5}';

  it('go to the collector that is named, from services and Envoys', async () => {
    const objects = await renderObjects(values);
    const users = podSpecs(objects).get('users')?.containers[0];
    const value = (name: string) => users?.env?.find(each => each.name === name)?.value;
    assert.equal(value('OTEL_EXPORTER_OTLP_ENDPOINT'), 'http://10.1.2.3:14318');
    assert.deepEqual([value('OTEL_TRACES_SAMPLER'), value('OTEL_TRACES_SAMPLER_ARG')], ['parentbased_traceidratio', '0.125']);
    assert.deepEqual(users?.command?.slice(-3), ['--import', './services/kit/telemetry.ts', 'services/users/main.ts']);
    const reached = named(objects, 'NetworkPolicy').get('users')?.spec?.egress?.at(-1);
    assert.deepEqual([reached?.to, reached?.ports?.map(({ port }) => port)], [undefined, [14317, 14318]]);
    for (const name of ['edge', 'users']) {
      const text = textOf(objects, `${name}-envoy`, 'envoy.yaml');
      assert.match(text, /cluster_name: otlp, .*address: 10\.1\.2\.3, port_value: 14317/);
    }
  });

  it('are made by every listener that takes calls, and by no other', async () => {
    const objects = await renderObjects(values);
    const tracing = (name: string) => {
      const text = textOf(objects, `${name}-envoy`, 'envoy.yaml');
      const config = parse(text) as { static_resources: { listeners: { name: string }[] } };
      return config.static_resources.listeners.flatMap(listener => {
        const [, service, numerator] =
          /"service_name":"([a-z]+)".*"numerator":(\d+),"denominator":"MILLION"/.exec(JSON.stringify(listener)) ?? [];
        return service ? [[listener.name, service, numerator]] : [];
      });
    };
    assert.deepEqual(tracing('edge'), [['edge', 'edge', '125000']]);
    assert.deepEqual(tracing('users'), [
      ['egress', 'users', '125000'],
      ['ingress', 'users', '125000'],
    ]);
  });
});

it('nothing of observability can be reached from outside the cluster', async () => {
  for (const { metadata, spec } of named(await renderObjects(), 'Service').values())
    assert.equal(spec?.type ?? 'ClusterIP', 'ClusterIP', metadata.name);
});

/** The uids of all data sources that a dashboard names. */
function dataSourceUids(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { datasource } = value as { datasource?: { uid?: string } };
  return [...(datasource?.uid ? [datasource.uid] : []), ...Object.values(value).flatMap(dataSourceUids)];
}
