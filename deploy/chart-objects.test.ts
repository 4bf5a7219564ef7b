import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containersOf, named, type PolicyRule, podSpecs, renderObjects, requestedMebibytes } from './chart-objects.ts';
import { breachesOf } from './pod-restrictions.ts';
import { chart, renderText } from './run-helm.ts';

/** The Deployments of the chart in charts/observability. */
const observability = ['grafana', 'jaeger', 'prometheus'];

describe('every pod', async () => {
  const objects = await renderObjects();
  const specs = podSpecs(objects);
  const [job = ''] = named(objects, 'Job').keys();

  it('is one of those that are expected', () => {
    const mesh = ['check', 'edge', 'orders', 'payments', 'postgresql', 'storefront', 'users'];
    const expected = [...mesh, 'issuer', job, ...observability];
    assert.deepEqual([...specs.keys()].sort(), expected.sort());
  });

  for (const [name, spec] of specs) {
    it(`${name} meets the Pod Security Standard restricted, with a read-only root, and no token unless it is Prometheus or the issuer`, () => {
      assert.equal(spec.automountServiceAccountToken, ['prometheus', 'issuer', job].includes(name));
      assert.deepEqual(breachesOf(spec), []);
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
  it('are all of the namespace, need no CRD, and give nobody a right but Prometheus, which may see the pods, and the issuer', async () => {
    const objects = await renderObjects();
    const kinds = new Set(objects.map(({ kind }) => kind));
    const expected = [
      'ConfigMap',
      'CronJob',
      'Deployment',
      'Job',
      'NetworkPolicy',
      'Pod',
      'PodDisruptionBudget',
      'Role',
      'RoleBinding',
      'Secret',
    ];
    assert.deepEqual([...kinds].sort(), [...expected, 'Service', 'ServiceAccount', 'StatefulSet']);
    const rights = [...named(objects, 'Role')].map(([name, { rules }]) => [name, rules]);
    const [, [issuer]] = rights as [unknown, [string, unknown]];
    assert.deepEqual(
      [rights[0], issuer],
      [['prometheus', [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }]], 'issuer'],
    );
  });

  it('know nobody who runs experiments by default; with experiments, who does may look at pods, end them and scale its upstreams', async () => {
    const without = await renderObjects();
    assert.ok(without.every(({ metadata }) => metadata.name !== 'lab' && !metadata.name.startsWith('lab-')));
    const objects = await renderObjects('experiments=true');
    for (const trace of ['TELLTALE_RECORDS_TO', 'telltale.lab.v1.LabService']) {
      assert.ok(!JSON.stringify(without).includes(trace), trace);
      assert.ok(JSON.stringify(objects).includes(trace), `${trace}, the control`);
    }
    const ofPods = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'delete'] };
    const ofUpstreams = (...resourceNames: string[]) => ({
      apiGroups: ['apps'],
      resources: ['deployments', 'deployments/scale'],
      resourceNames,
      verbs: ['get', 'patch'],
    });
    const rightsOf = (those: typeof objects) => named(those, 'Role').get('lab')?.rules;
    assert.deepEqual(rightsOf(objects), [ofPods, ofUpstreams('storefront', 'users', 'orders', 'payments')]);
    assert.deepEqual(rightsOf(await renderObjects('experiments=true,services.lab.upstreams=["users"]')), [
      ofPods,
      ofUpstreams('users'),
    ]);
    // no names would be all names
    assert.deepEqual(rightsOf(await renderObjects('experiments=true,services.lab.upstreams=[]')), [ofPods]);
    const pods = podSpecs(objects);
    const withToken = [...pods]
      .filter(([, { automountServiceAccountToken }]) => automountServiceAccountToken)
      .map(([name]) => name);
    assert.deepEqual(withToken.filter(name => !name.startsWith('issuer')).sort(), ['lab', 'prometheus']);
    const senders = [...pods].filter(([, { containers }]) =>
      containers.some(({ env = [] }) => env.some(({ name, value }) => name === 'TELLTALE_RECORDS_TO' && value === 'lab')),
    );
    assert.deepEqual(senders.map(([name]) => name).sort(), ['orders', 'payments', 'storefront', 'users']);
  });

  it('have one address for all pods of each service that experiments call, beside its headless Service, and only then', async () => {
    const addressed = async (values: string) => {
      const services = named(await renderObjects(values), 'Service');
      return [...services]
        .filter(([name]) => name.endsWith('-l4'))
        .map(([name, { spec }]) => {
          const headless = services.get(name.replace('-l4', ''))?.spec;
          assert.deepEqual([headless?.clusterIP, spec?.clusterIP], ['None', undefined]);
          assert.deepEqual([spec?.selector, spec?.ports], [headless?.selector, headless?.ports]);
          return name;
        });
    };
    assert.deepEqual((await addressed('experiments=true')).sort(), ['orders-l4', 'payments-l4', 'storefront-l4', 'users-l4']);
    assert.deepEqual(await addressed('experiments=true,services.lab.upstreams=["users"]'), ['users-l4']);
    assert.deepEqual(await addressed('experiments=false'), []);
  });

  it('lead a thousand calls by one connection at who runs experiments only', async () => {
    const wide = async (values: string) =>
      [...named(await renderObjects(values), 'ConfigMap')].filter(([, object]) => JSON.stringify(object).includes('15002'));
    const names = (await wide('experiments=true')).map(([name]) => name);
    assert.deepEqual(names, ['lab-envoy']);
    assert.deepEqual(await wide('experiments=false'), []);
  });

  it('ask for at most 1.4 GiB of memory for the mesh, and for 600 MiB for what looks at it', async () => {
    const requested = [...requestedMebibytes(await renderObjects())];
    const sum = (isPart: (name: string) => boolean) =>
      requested.filter(([name]) => isPart(name)).reduce((total, [, mebibytes]) => total + mebibytes, 0);
    const [mesh, observers] = [sum(name => !observability.includes(name)), sum(name => observability.includes(name))];
    assert.ok(mesh <= 1.4 * 1024, `${mesh} MiB`);
    assert.ok(observers <= 600, `${observers} MiB`);
  });

  it('have names and protocols for all ports of Services', async () => {
    for (const { metadata, spec } of named(await renderObjects(), 'Service').values()) {
      for (const port of spec?.ports ?? []) assert.ok(port.name && port.appProtocol, metadata.name);
    }
  });

  it('lead clients of serviceb to the edge, by gRPC and by HTTP', async () => {
    const services = named(await renderObjects(), 'Service');
    const [serviceb, edge] = [services.get('serviceb')?.spec, services.get('edge')?.spec];
    assert.deepEqual(serviceb?.selector, edge?.selector);
    const ports = serviceb?.ports?.map(port => [port.port, port.targetPort]);
    assert.deepEqual(ports, [
      [50051, 'http'],
      [80, 'http'],
    ]);
  });

  it('have no serviceb, which is plaintext, when the edge has a certificate', async () => {
    const services = named(await renderObjects('edge.tls.secretName="edge"'), 'Service');
    assert.equal(services.get('edge')?.spec?.ports?.[0]?.appProtocol, 'https');
    assert.equal(services.has('serviceb'), false);
  });

  it('hold a PodDisruptionBudget for each Deployment of more than one pod', async () => {
    const budgets = named(await renderObjects('edge.replicas=1,services.users.replicas=1'), 'PodDisruptionBudget');
    assert.deepEqual([...budgets.keys()].sort(), ['orders', 'payments', 'storefront']);
  });

  it('leave the number of pods to a HorizontalPodAutoscaler where there is one', async () => {
    const objects = await renderObjects('autoscaling.deployments=["edge","users"]');
    const deployments = [...named(objects, 'Deployment')].filter(([name]) => !observability.includes(name));
    const replicas = deployments.map(([name, { spec }]) => [name, spec?.replicas]);
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
      const names = (await renderObjects(values)).map(({ metadata }) => metadata.name);
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
  it('let each pod be called by its callers and Prometheus only, and call its upstreams, the database, Jaeger and DNS only', async () => {
    const policies = named(await renderObjects(), 'NetworkPolicy');
    const peers = (rules: readonly PolicyRule[] = []) =>
      rules
        .flatMap(rule =>
          (rule.from ?? rule.to ?? []).map(peer => peer.podSelector.matchLabels['app.kubernetes.io/name'] ?? 'all'),
        )
        .sort();
    const table = [...policies].map(([name, { spec }]) => [name, peers(spec?.ingress), peers(spec?.egress)]);
    assert.deepEqual(table.sort(), [
      ['check', [], ['edge', 'orders', 'payments', 'storefront', 'users']],
      ['default-deny', [], []],
      ['edge', ['prometheus'], ['jaeger', 'storefront', 'users']],
      ['grafana', [], ['jaeger', 'prometheus']],
      ['issuer', [], []],
      ['jaeger', ['all', 'grafana', 'prometheus'], []],
      ['orders', ['check', 'prometheus', 'storefront'], ['jaeger', 'payments', 'postgresql']],
      ['payments', ['check', 'orders', 'prometheus'], ['jaeger', 'postgresql']],
      ['postgresql', ['orders', 'payments', 'prometheus'], []],
      ['prometheus', ['grafana'], ['all', 'jaeger']],
      ['storefront', ['check', 'edge', 'prometheus'], ['jaeger', 'orders', 'users']],
      ['users', ['check', 'edge', 'prometheus', 'storefront'], ['jaeger']],
    ]);
    assert.deepEqual(policies.get('default-deny')?.spec?.policyTypes, ['Ingress', 'Egress']);
  });
});

it('the images of the overlay for production are all by digest', async () => {
  const specs = podSpecs(await renderObjects('global={}', '-f', `${chart}/ci/production-values.yaml`));
  for (const spec of specs.values()) {
    for (const { image } of containersOf(spec)) assert.match(image, /@sha256:[a-f0-9]{64}$/);
  }
});
