import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { scenarioNames } from '../../services/lab/catalog.ts';
import { repo } from '../local/paths.ts';
import { linkPaths, type MeshValues, problemsOf } from './check-tiltfile.ts';
import { evaluateTiltfile, readTiltfile, type Tiltfile } from './tiltfile.ts';

const values: MeshValues = parse(readFileSync(join(repo, 'charts', 'telltale', 'values.yaml'), 'utf8'));
const text = readTiltfile();

/** The problems of the Tiltfile with one part replaced. */
async function problemsWith(part: string | RegExp, replacement: string): Promise<string[]> {
  const changed = text.replace(part, () => replacement);
  assert.notEqual(changed, text, `${part} is not in the Tiltfile`);
  return problemsOf(await evaluateTiltfile(changed), values);
}

/** The edge's resource. */
function edgeOf({ resources }: Tiltfile) {
  const edge = resources.find(({ workload }) => workload === 'edge');
  assert.ok(edge);
  return edge;
}

describe('Tiltfile', () => {
  let tiltfile: Tiltfile;
  before(async () => {
    tiltfile = await evaluateTiltfile(text);
  });

  it('agrees with the chart, the Dockerfile, the Makefile and the repository', () => {
    assert.deepEqual(problemsOf(tiltfile, values), []);
    assert.equal(tiltfile.builds.length, 1);
    const scenarios = scenarioNames();
    assert.ok(scenarios.length > 0);
    assert.deepEqual(
      tiltfile.locals.map(({ name }) => name),
      ['generate', 'check', 'test', 'e2e', ...scenarios],
    );
  });

  it('links to what the contracts let the edge answer', () => {
    const rules = globSync('proto/telltale/**/*.proto', { cwd: repo }).flatMap(file =>
      [...readFileSync(join(repo, file), 'utf8').matchAll(/get: "([^"]+)"/g)].map(([, path = '']) => path),
    );
    const patterns = rules.map(path => new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`));
    const paths = linkPaths(edgeOf(tiltfile), 'http://localhost:8080');
    assert.ok(paths.length > 0);
    for (const path of paths)
      assert.ok(
        patterns.some(pattern => pattern.test(path)),
        `no contract answers ${path}`,
      );
  });

  it('puts everything into one namespace, which is made first and refuses privileged pods', async () => {
    for (const [namespace, env] of [
      ['telltale', {}],
      ['trial', { NAMESPACE: 'trial' }],
    ] as const) {
      const { objects } = await evaluateTiltfile(text, env);
      const [first, ...rest] = objects;
      assert.equal(`${first?.kind} ${first?.metadata.name}`, `Namespace ${namespace}`);
      assert.equal(first?.metadata.labels?.['pod-security.kubernetes.io/enforce'], 'restricted');
      assert.deepEqual([...new Set(rest.map(({ metadata }) => metadata.namespace))], [namespace]);
    }
  });

  it('forwards the port of the edge wherever kind does not map it', async () => {
    const forwards = (evaluated: Tiltfile) => edgeOf(evaluated).port_forwards?.map(({ local_port }) => local_port);
    assert.deepEqual(forwards(tiltfile), [15059]);
    assert.deepEqual(forwards(await evaluateTiltfile(text, { TILT_CONTEXT: 'minikube' })), [8080, 15059]);
    const elsewhere = await evaluateTiltfile(text, { NAMESPACE: 'trial', EDGE_PORT: '8090' });
    assert.deepEqual(forwards(elsewhere), [8090, 15059]);
    assert.equal(linkPaths(edgeOf(elsewhere), 'http://localhost:8090').length, 2);
  });

  it('has no resource for a part that a value switches off', async () => {
    const { resources, objects } = await evaluateTiltfile(text, { HELM_SET: 'observability.grafana.enabled=false' });
    const deployed = objects
      .filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job', 'CronJob'].includes(kind))
      .map(({ metadata }) => metadata.name);
    assert.deepEqual(resources.map(({ workload }) => workload).sort(), deployed.sort());
    assert.ok(!deployed.includes('grafana'));
  });

  it('allows another cluster only when it is named', async () => {
    assert.deepEqual(tiltfile.contexts, []);
    assert.deepEqual((await evaluateTiltfile(text, { CLUSTER: 'staging' })).contexts, ['staging']);
  });

  it('makes the same objects whenever it is rendered, the passwords of the database and of Grafana among them', async () => {
    const { objects } = await evaluateTiltfile(text);
    assert.deepEqual(objects, tiltfile.objects);
    const [postgresql, grafana, ...more] = objects.filter(({ kind, stringData }) => kind === 'Secret' && stringData);
    const { url, password } = postgresql?.stringData ?? {};
    assert.ok(password && url?.includes(`:${password}@`));
    assert.ok(grafana?.stringData?.password);
    assert.deepEqual(more, []);
    const wanted = objects.flatMap(
      ({ spec }) => spec?.template?.spec.volumes?.flatMap(({ secret }) => secret?.secretName ?? []) ?? [],
    );
    const passwords = wanted.filter(name => !name.endsWith('-identity')); // the issuer's Job fills those
    assert.deepEqual(passwords.sort(), [grafana.metadata.name, postgresql?.metadata.name]);
  });

  it('forwards a port to each part of observability, and links to nothing else', () => {
    const parts = tiltfile.resources.filter(({ labels }) => labels?.includes('observability'));
    const forwards = parts.map(({ workload, port_forwards = [] }) => [
      workload,
      port_forwards.map(({ local_port }) => local_port),
    ]);
    assert.deepEqual(forwards, [
      ['prometheus', [9090]],
      ['jaeger', [16686]],
      ['grafana', [3000]],
    ]);
    for (const part of parts) {
      const paths = linkPaths(part, `http://localhost:${part.port_forwards?.[0]?.local_port}`);
      assert.ok(paths.length > 0, part.workload);
    }
  });
});

describe('problemsOf', () => {
  it('finds a service that is left out', async () => {
    const problems = await problemsWith(
      'enumerate(sorted(services))',
      'enumerate([name for name in sorted(services) if name != "users"])',
    );
    assert.deepEqual(problems, ['users: no resource with a label']);
  });

  it('finds a service that the cluster would not get', async () => {
    const problems = await problemsWith(
      '[namespace] + secrets + objects',
      '[namespace] + secrets + [o for o in objects if o["metadata"]["name"] != "users"]',
    );
    assert.ok(problems.includes('users: values.yaml has it, the cluster would not'), problems.join('\n'));
  });

  it('finds a path that does not exist', async () => {
    const problems = await problemsWith('"proto/gen", CHART', '"proto/generated", CHART');
    assert.ok(problems.includes('proto/generated: does not exist'), problems.join('\n'));
    assert.ok(problems.includes('proto/gen: copied into the image, but a change is not noticed'), problems.join('\n'));
  });

  it('finds a sync to where the Dockerfile does not copy', async () => {
    const problems = await problemsWith('"/app/" + path', '"/srv/" + path');
    assert.ok(problems.includes('services: the Dockerfile does not copy it to /srv/services'), problems.join('\n'));
  });

  it("finds a port that is not the chart's", async () => {
    const problems = await problemsWith('50052, name', '50053, name');
    assert.deepEqual(
      problems,
      Object.keys(values.services)
        .sort()
        .map(name => `${name}: forwards 50053, a port on which the chart has nothing listen`),
    );
  });

  it('finds a port of this machine that is used twice', async () => {
    assert.deepEqual(await problemsWith('15060 + index', '15059 + index'), ['15059: forwarded twice']);
  });

  it('finds a stage that the Dockerfile does not have, and a service that does not start again', async () => {
    assert.deepEqual(await problemsWith('target = "live"', 'target = "dev"'), ['deploy/Dockerfile: no stage dev']);
    const problems = await problemsWith('["services/" + name, "services/kit"', '["services/kit"');
    assert.ok(problems.includes('users: does not start again when its own files change'), problems.join('\n'));
  });

  it('finds a container that no file can be copied into', async () => {
    const problems = await problemsWith('["readOnlyRootFilesystem"] = False', '["readOnlyRootFilesystem"] = True');
    assert.ok(problems.includes('users: no file can be copied into it'), problems.join('\n'));
  });

  it('finds a button without a verb, and one that is pressed by itself', async () => {
    assert.deepEqual(await problemsWith('"check", "test"', '"chek", "test"'), ['chek: no verb of the Makefile']);
    assert.match(
      (await problemsWith('auto_init = False', 'auto_init = True')).join(),
      /^generate: runs without being asked for,/,
    );
  });

  it('finds a CronJob that is waited for, and a Job that runs at each edit', async () => {
    const waited = await problemsWith(' else "ignore"', ' else "wait"');
    assert.deepEqual(waited, ['issuer: a CronJob is ready by ignore']);
    const edited = await problemsWith('trigger_mode = TRIGGER_MODE_MANUAL, pod_readiness', 'pod_readiness');
    assert.match(edited.join('\n'), /^issuer-\w+: runs again at each edit\nissuer: runs again at each edit$/);
  });

  it('finds an upstream that is not waited for', async () => {
    const problems = await problemsWith('services[name]["upstreams"]', '[]');
    assert.ok(problems.includes('orders: does not wait for payments'), problems.join('\n'));
  });
});

describe('evaluateTiltfile', () => {
  it('refuses functions and parameters that Tilt does not have, and what is no Starlark', async () => {
    for (const broken of ['k8s_yml("")', 'link("a", nam = "b")', 'while True: pass', 'load("ext://uibutton", "cmd_button")']) {
      await assert.rejects(evaluateTiltfile(broken), /the Tiltfile does not evaluate/, broken);
    }
  });
});
