import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { identityOf } from '../services/kit/identity.ts';
import { type ChartObject, containersOf, named, type PodSpec, podSpecs, renderObjects } from './chart-objects.ts';
import { namespace } from './local/manifest.ts';

const SERVICES = ['orders', 'payments', 'storefront', 'users'];

/** The text of the file that the Envoy of a part starts with. */
const envoyFile = (objects: readonly ChartObject[], name: string) =>
  named(objects, 'ConfigMap').get(`${name}-envoy`)?.data?.['envoy.yaml'] ?? '';

/** A listener of a sidecar, as far as it is looked into. */
interface Listener {
  name: string;
  address: { socket_address: { address: string; port_value: number } };
  filter_chains: { transport_socket?: object; filters: { typed_config: { http_filters: Filter[] } }[] }[];
}
interface Filter {
  name: string;
  typed_config: {
    rules: { policies: Record<string, { principals: { authenticated: { principal_name: { exact: string } } }[] }> };
  };
}

const listeners = (text: string): Listener[] => parse(text, { merge: true }).static_resources.listeners;

/** Who may call a service, by the rules of its ingress; the names of the rules to identities. */
function callers(objects: readonly ChartObject[], service: string): Record<string, string[]> {
  const ingress = listeners(envoyFile(objects, service)).find(({ name }) => name === 'ingress');
  const rbac = ingress?.filter_chains[0]?.filters[0]?.typed_config.http_filters[0];
  assert.equal(rbac?.name, 'envoy.filters.http.rbac'); // before anything else looks at the call
  const rules = Object.entries(rbac.typed_config.rules.policies);
  return Object.fromEntries(
    rules.map(([name, { principals }]) => [name, principals.map(each => each.authenticated.principal_name.exact)]),
  );
}

describe('a pod of the mesh', async () => {
  const specs = podSpecs(await renderObjects());

  for (const name of ['check', 'edge', ...SERVICES]) {
    it(`${name} has the keys of its own identity, where TLS is spoken and nowhere else`, () => {
      const spec = specs.get(name) as PodSpec;
      const volumes = (spec.volumes ?? []).filter(volume => volume.secret !== undefined);
      const items = ['tls.crt', 'tls.key', 'ca.crt'].map(key => ({ key, path: key }));
      assert.deepEqual(volumes, [{ name: 'identity', secret: { secretName: `${name}-identity`, defaultMode: 0o400, items } }]);
      const mounts = containersOf(spec).flatMap(({ name: container, volumeMounts = [] }) =>
        volumeMounts.filter(mount => mount.name === 'identity').map(mount => ({ container, ...mount })),
      );
      const container = name === 'check' ? 'check' : 'envoy';
      assert.deepEqual(mounts, [{ container, name: 'identity', mountPath: '/etc/telltale/identity', readOnly: true }]);
    });
  }

  for (const name of SERVICES) {
    it(`${name} answers others by its Envoy, and by itself for health and metrics only`, async () => {
      const { env = [] } = containersOf(specs.get(name) as PodSpec).find(container => container.name === 'app') ?? {};
      const listens = env.filter(variable => variable.name.endsWith('LISTEN')).map(variable => [variable.name, variable.value]);
      assert.deepEqual(Object.fromEntries(listens), {
        TELLTALE_LISTEN: '127.0.0.1:50052',
        TELLTALE_HEALTH_LISTEN: '0.0.0.0:8081',
        TELLTALE_METRICS_LISTEN: '0.0.0.0:9464',
      });
      const open = listeners(envoyFile(await renderObjects(), name))
        .filter(({ address }) => address.socket_address.address !== '127.0.0.1')
        .map(listener => [listener.name, listener.filter_chains.every(chain => chain.transport_socket !== undefined)]);
      assert.deepEqual(open, [
        ['ingress', true],
        ['stats', false],
      ]);
    });
  }
});

it('of all apps only that of who runs experiments can read a key, that of its own pod, and is told where', async () => {
  const apps = async (values: string) =>
    [...podSpecs(await renderObjects(values))].flatMap(([name, spec]) => {
      const { env = [], volumeMounts = [] } = containersOf(spec).find(container => container.name === 'app') ?? {};
      const told = env.find(variable => variable.name === 'TELLTALE_IDENTITY')?.value;
      const mounted = volumeMounts.find(mount => mount.name === 'identity')?.mountPath;
      return told === undefined && mounted === undefined ? [] : [[name, told, mounted]];
    });
  assert.deepEqual(await apps('experiments=true'), [['lab', '/etc/telltale/identity', '/etc/telltale/identity']]);
  for (const values of ['experiments=false', 'experiments=true,mtls=false']) assert.deepEqual(await apps(values), [], values);
});

describe('who may call a service', () => {
  const identities = (...names: string[]) => names.map(name => identityOf(namespace, name));

  it('are the parts whose upstreams name it, and for its health `helm test`, too', async () => {
    const objects = await renderObjects();
    assert.deepEqual(callers(objects, 'users'), {
      calls: identities('edge', 'storefront'),
      health: identities('edge', 'storefront', 'check'),
    });
    assert.deepEqual(callers(objects, 'payments'), { calls: identities('orders'), health: identities('orders', 'check') });
  });

  it('is nobody, when nobody names it', async () => {
    const objects = await renderObjects('services.orders.upstreams=[]');
    assert.deepEqual(callers(objects, 'payments'), { health: identities('check') });
  });
});

describe("the chart's own database", () => {
  it('listens for its own pod only, and lets in by their certificates who store', async () => {
    const objects = await renderObjects();
    const [container] = containersOf(podSpecs(objects).get('postgresql') as PodSpec).filter(
      ({ name }) => name === 'postgresql',
    );
    assert.ok(container?.args?.includes('listen_addresses=127.0.0.1'));
    const [ingress, ...others] = listeners(envoyFile(objects, 'postgresql'));
    assert.deepEqual(
      others.map(({ name }) => name),
      ['stats'],
    );
    const [, pattern = ''] = /"safe_regex":\{"regex":"(.+?)"\}/.exec(JSON.stringify(ingress)) ?? [];
    const may = ['edge', ...SERVICES].filter(name => new RegExp(`^${pattern}$`).test(identityOf(namespace, name)));
    assert.deepEqual(may, ['orders', 'payments']);
  });

  it('is reached by the sidecars of who store, and by nobody else', async () => {
    const leading = async (values?: string) => {
      const objects = await renderObjects(values);
      const specs = podSpecs(objects);
      return SERVICES.filter(name => {
        const listens = listeners(envoyFile(objects, name)).some(listener => listener.name === 'database');
        const told = JSON.stringify(specs.get(name)).includes('TELLTALE_DATABASE_EGRESS');
        assert.equal(told, listens);
        return listens;
      });
    };
    assert.deepEqual(await leading(), ['orders', 'payments']);
    for (const values of ['mtls=false', 'storage="sqlite"', 'database.existingSecret="theirs"'])
      assert.deepEqual(await leading(values), []);
  });
});

describe('what listens for its own pod only: the app, the egress and the admin interface of Envoy', () => {
  const OWN = [50052, 15000, 15001];

  /** The ports that Services lead to, that containers say they offer, and that NetworkPolicies let others come to. */
  const offered = (objects: readonly ChartObject[]) => {
    const services = [...named(objects, 'Service')].flatMap(([name, { spec }]) =>
      (spec?.ports ?? []).flatMap(({ port, targetPort }) => [port, targetPort].map(each => [`Service ${name}`, each] as const)),
    );
    const containers = [...podSpecs(objects)].flatMap(([name, spec]) =>
      containersOf(spec).flatMap(({ ports = [] }) => ports.map(({ containerPort }) => [`pod ${name}`, containerPort] as const)),
    );
    const policies = [...named(objects, 'NetworkPolicy')].flatMap(([name, { spec }]) =>
      (spec?.ingress ?? []).flatMap(({ ports = [] }) => ports.map(({ port }) => [`NetworkPolicy ${name}`, port] as const)),
    );
    return [...services, ...containers, ...policies];
  };
  const wrong = (objects: readonly ChartObject[]) => offered(objects).filter(([, port]) => OWN.includes(Number(port)));

  it('is offered to nobody by a Service, a container or a NetworkPolicy', async () => {
    for (const values of ['global={}', 'experiments=true,reflection=true', 'storage="sqlite"', 'discovery="file"']) {
      const objects = await renderObjects(values);
      assert.ok(offered(objects).some(([, port]) => port === 50051));
      assert.deepEqual(wrong(objects), [], values);
    }
  });

  it('would be seen in any of them, the control', async () => {
    const objects = await renderObjects();
    named(objects, 'Service').get('users')?.spec?.ports?.push({ port: 80, targetPort: 50052 });
    containersOf(podSpecs(objects).get('orders') as PodSpec)[0]?.ports?.push({ containerPort: 15000 });
    named(objects, 'NetworkPolicy')
      .get('payments')
      ?.spec?.ingress?.push({ ports: [{ port: 15001 }] });
    assert.deepEqual(wrong(objects), [
      ['Service users', 50052],
      ['pod orders', 15000],
      ['NetworkPolicy payments', 15001],
    ]);
  });
});

it('without mTLS no pod has an identity, no Envoy speaks TLS, and nobody is asked who they are', async () => {
  for (const values of ['mtls=false', 'mtls=false,sidecars=false']) {
    const objects = await renderObjects(values);
    assert.doesNotMatch(JSON.stringify(objects), /-identity|TlsContext|name: envoy\.filters\.http\.rbac|--identity/);
  }
});
