import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseObjects } from './local/render.ts';
import { chart, renderText } from './run-helm.ts';

/** An object of any kind, as far as these tests look into it. */
interface AnyObject {
  kind: string;
  metadata: { name: string; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: objects of every kind, read by path
  spec?: any;
}

const render = async (values = 'global={}', ...args: string[]) =>
  parseObjects(await renderText('--set-json', values, ...args)) as unknown as AnyObject[];
const named = (objects: AnyObject[], kind: string) =>
  new Map(objects.filter(object => object.kind === kind).map(object => [object.metadata.name, object]));

/** The spec of every pod that these objects lead to, by the object's name. */
function podSpecs(objects: AnyObject[]): Map<string, AnyObject['spec']> {
  const specs = objects.flatMap(({ kind, metadata, spec }) =>
    kind === 'Pod' ? [[metadata.name, spec] as const] : spec?.template ? [[metadata.name, spec.template.spec] as const] : [],
  );
  return new Map(specs);
}
const containersOf = (spec: AnyObject['spec']) => [...(spec.initContainers ?? []), ...spec.containers];

describe('every pod', async () => {
  const specs = podSpecs(await render());

  it('is one of those that are expected', () => {
    const expected = ['check', 'edge', 'orders', 'payments', 'postgresql', 'storefront', 'users'];
    assert.deepEqual([...specs.keys()].sort(), expected);
  });

  for (const [name, spec] of specs) {
    it(`${name} meets the Pod Security Standard restricted, with a read-only root and no token`, () => {
      assert.equal(spec.automountServiceAccountToken, false);
      assert.equal(spec.securityContext.runAsNonRoot, true);
      assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault');
      assert.deepEqual([spec.hostNetwork, spec.hostPID, spec.hostIPC], [undefined, undefined, undefined]);
      for (const { securityContext, ports = [] } of containersOf(spec)) {
        const expected = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
        assert.deepEqual(securityContext, expected);
        for (const port of ports) assert.equal(port.hostPort, undefined);
      }
      for (const volume of spec.volumes ?? []) {
        const [kind] = Object.keys(volume).filter(key => key !== 'name');
        assert.ok(['configMap', 'emptyDir', 'persistentVolumeClaim', 'secret'].includes(kind ?? ''));
      }
    });

    it(`${name} asks for what it needs, and its memory has a limit`, () => {
      for (const { resources } of containersOf(spec)) {
        assert.ok(resources.requests.cpu && resources.requests.memory && resources.limits.memory);
        assert.equal(resources.limits.cpu, undefined);
      }
    });
  }
});

describe('the objects', () => {
  it('are all of the namespace, need no CRD, and give nobody a right', async () => {
    const kinds = new Set((await render()).map(({ kind }) => kind));
    const expected = ['ConfigMap', 'Deployment', 'NetworkPolicy', 'Pod', 'PodDisruptionBudget', 'Secret', 'Service'];
    assert.deepEqual([...kinds].sort(), [...expected, 'ServiceAccount', 'StatefulSet']);
  });

  it('ask for at most 1.4 GiB of memory', async () => {
    const objects = await render();
    const mebibytes = objects
      .filter(({ kind }) => kind !== 'Pod')
      .flatMap(({ spec }) => (spec?.template ? containersOf(spec.template.spec).map(each => spec.replicas * mebi(each)) : []))
      .reduce((sum, each) => sum + each, 0);
    assert.ok(mebibytes <= 1.4 * 1024, `${mebibytes} MiB`);
  });

  it('have names and protocols for all ports of Services', async () => {
    for (const { metadata, spec } of named(await render(), 'Service').values()) {
      for (const port of spec.ports) assert.ok(port.name && port.appProtocol, metadata.name);
    }
  });

  it('lead clients of serviceb to the edge, by gRPC and by HTTP', async () => {
    const services = named(await render(), 'Service');
    const [serviceb, edge] = [services.get('serviceb')?.spec, services.get('edge')?.spec];
    assert.deepEqual(serviceb.selector, edge.selector);
    const ports = serviceb.ports.map((port: { port: number; targetPort: string }) => [port.port, port.targetPort]);
    assert.deepEqual(ports, [
      [50051, 'http'],
      [80, 'http'],
    ]);
  });

  it('hold a PodDisruptionBudget for each Deployment of more than one pod', async () => {
    const budgets = named(await render('edge.replicas=1,services.users.replicas=1'), 'PodDisruptionBudget');
    assert.deepEqual([...budgets.keys()].sort(), ['orders', 'payments', 'storefront']);
  });

  it('leave the number of pods to a HorizontalPodAutoscaler where there is one', async () => {
    const objects = await render('autoscaling.deployments=["edge","users"]');
    const replicas = [...named(objects, 'Deployment')].map(([name, { spec }]) => [name, spec.replicas]);
    assert.deepEqual(Object.fromEntries(replicas), {
      edge: undefined,
      users: undefined,
      orders: 2,
      payments: 2,
      storefront: 2,
    });
    assert.deepEqual([...named(objects, 'HorizontalPodAutoscaler').keys()], ['edge', 'users']);
  });

  it('make no database where it is somebody else’s, or SQLite', async () => {
    for (const values of ['database.existingSecret="db"', 'storage="sqlite"']) {
      const names = (await render(values)).map(({ metadata }) => metadata.name);
      assert.equal(names.includes('postgresql'), false, values);
    }
  });

  it('make no password twice', async () => {
    const secrets = (await Promise.all([renderText(), renderText()])).map(text => /^ +password: (.*)$/m.exec(text)?.[1]);
    assert.match(secrets[0] ?? '', /^[A-Za-z0-9]{32}$/);
    assert.notEqual(secrets[0], secrets[1]);
  });
});

describe('the NetworkPolicies', () => {
  it('let each service be called by its callers only, and call its upstreams, the database and DNS only', async () => {
    const policies = named(await render(), 'NetworkPolicy');
    const peers = (rules: { from?: Peer[]; to?: Peer[] }[]) =>
      rules
        .flatMap(rule => (rule.from ?? rule.to ?? []).map(peer => peer.podSelector.matchLabels['app.kubernetes.io/name']))
        .sort();
    const table = [...policies].map(([name, { spec }]) => [name, peers(spec.ingress ?? []), peers(spec.egress ?? [])]);
    assert.deepEqual(table.sort(), [
      ['check', [], ['edge', 'orders', 'payments', 'storefront', 'users']],
      ['default-deny', [], []],
      ['edge', [], ['storefront', 'users']],
      ['orders', ['check', 'storefront'], ['payments', 'postgresql']],
      ['payments', ['check', 'orders'], ['postgresql']],
      ['postgresql', ['orders', 'payments'], []],
      ['storefront', ['check', 'edge'], ['orders', 'users']],
      ['users', ['check', 'edge', 'storefront'], []],
    ]);
    assert.deepEqual(policies.get('default-deny')?.spec.policyTypes, ['Ingress', 'Egress']);
  });
});

interface Peer {
  podSelector: { matchLabels: Record<string, string> };
}

function mebi({ resources }: { resources: { requests: { memory: string } } }): number {
  const [, digits] = /^(\d+)Mi$/.exec(resources.requests.memory) ?? [];
  return Number(digits);
}

it('the images of the overlay for production are all by digest', async () => {
  const specs = podSpecs(await render('global={}', '-f', `${chart}/ci/production-values.yaml`));
  for (const spec of specs.values()) {
    for (const { image } of containersOf(spec)) assert.match(image, /@sha256:[a-f0-9]{64}$/);
  }
});
