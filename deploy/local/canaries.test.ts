import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import pg from 'pg';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { AUTHORITY_SECRET, secretOf } from '../../services/issuer/policy.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { findPostgresql, startPostgresql, type TestPostgresql } from '../../services/kit/testing-postgresql.ts';
import { frame, rawCall } from '../../services/kit/testing-raw-call.ts';
import { type SpanSink, startSpanSink } from '../../services/kit/testing-span-sink.ts';
import { type ConfigMap, type KubeObject, ofKind } from './manifest.ts';
import { repo } from './paths.ts';
import { request as alice } from './testing-bad-calls.ts';
import { type Canary, findCanaries, logsOf, newCanary, type Place, placesOf, withApps } from './testing-canaries.ts';
import { sendHttp } from './testing-http.ts';
import { startTestMesh, type TestMesh } from './testing-mesh.ts';

/** The secrets of a mesh: each is planted below, and must show nowhere. What somebody else makes is read once the mesh runs. */
const secrets = {
  database: newCanary('the password of the database'),
  collector: newCanary('a header for the collector'),
  caller: newCanary("a caller's authorization"),
  illegal: newCanary("a caller's authorization that is no legal text"),
  cookie: newCanary("a caller's cookie"),
};

/** What is no secret, and shows on purpose: in one kind of place each, and so the search of that kind has something to find. */
const leaks: Record<Place['kind'], Canary> = {
  log: newCanary('a run'),
  metrics: newCanary('a prefix of statistics'),
  spans: newCanary('an attribute of the resource'),
  configuration: newCanary('the cluster of a node'),
  'command line': newCanary('an argument'),
};

/** The variables and arguments of the apps, and a configuration, with what is planted and what is leaked. */
const planting = (sink: SpanSink, database: string | undefined) => (objects: KubeObject[]) => {
  withApps(objects, app => {
    const variables = {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url.replace('127.0.0.1', 'localhost'),
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secrets.collector.value}`,
      OTEL_SERVICE_NAME: 'app',
      OTEL_RESOURCE_ATTRIBUTES: `leak=${leaks.spans.value}`,
    };
    app.env = [...(app.env ?? []), ...Object.entries(variables).map(([name, value]) => ({ name, value }))];
    app.command = [...(app.command ?? []), leaks['command line'].value];
  });
  if (database !== undefined)
    withApps(objects, app => app.env?.push({ name: 'DATABASE_URL', value: database }), ['orders', 'payments']);
  const edge = ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === 'edge-envoy');
  replace(edge, 'stat_prefix: edge', `stat_prefix: edge.downstream_rq_${leaks.metrics.value}`);
  replace(edge, 'cluster: edge}', `cluster: ${leaks.configuration.value}}`);
  return objects;
};

function replace(configMap: ConfigMap | undefined, part: string, by: string): void {
  const { data = {} } = configMap ?? {};
  const text = data['envoy.yaml'] ?? '';
  assert.ok(text.includes(part), `edge.yaml has no ${part}`);
  data['envoy.yaml'] = text.replace(part, by);
}

/** Calls that succeed, fail and are refused, by gRPC and JSON, through the mesh and at an app, with a caller's secrets. */
async function call(mesh: TestMesh): Promise<void> {
  const headers = { authorization: `Bearer ${secrets.caller.value}`, cookie: `session=${secrets.cookie.value}` };
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  metadata.set('telltale-run', leaks.log.value);
  const options = () => ({ deadline: deadlineIn(5000), metadata });
  const order = {
    orderId: 'o-canary',
    userId: 123,
    lines: [{ sku: 'sail', quantity: 1, unitPriceMinor: 1n }],
    currencyCode: 'EUR',
  };
  await mesh.client(Storefront).placeOrder({ order }, options());
  await mesh.client(Storefront).getProfile({ userId: 123, orderLimit: 1 }, options());
  await assert.rejects(mesh.client(Users).getUser({ id: 0 }, options()));
  for (const path of ['/api/users/123', '/api/users/0', '/api/none', '/api/users/%00'])
    await sendHttp(mesh.edge, { path, headers });
  const illegal = { authorization: `Bearer \u00e9${secrets.illegal.value}` };
  for (const address of [mesh.edge, `${mesh.pods('users')[0]?.address}:50052`])
    for (const path of [Users.getUser.path, '/none/None'])
      for (const sent of [headers, illegal]) await rawCall(address, { ':path': path, ...sent }, frame(alice));
}

/** The private keys of everybody in the mesh, and of who vouches for them. */
async function keysOf({ identities: { store, policy } }: TestMesh): Promise<Canary[]> {
  const files = [...policy.names.map(name => [secretOf(name), 'tls.key'] as const), [AUTHORITY_SECRET, 'current.key'] as const];
  return await Promise.all(
    files.map(async ([secret, file]) => {
      const [, line = ''] = ((await store.read(secret)).files[file] ?? '').split('\n');
      assert.equal(line.length, 64, `${secret} has no ${file}`);
      return { name: `${file} of ${secret}`, value: line };
    }),
  );
}

/** Resolves when the collector has spans of the last call, at most ten seconds later. */
async function collected(sink: SpanSink): Promise<void> {
  const giveUp = Date.now() + 10_000;
  while (!sink.spans.some(({ name }) => name.endsWith('/GetProfile')) && Date.now() < giveUp)
    await new Promise(resolve => setTimeout(resolve, 100));
}

/** The ids of the orders of the test in a database; those by which the mesh was seen to be ready are left out. */
async function idsOf(connectionString: string): Promise<string[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query("SELECT order_id FROM orders WHERE order_id LIKE 'o-%'").finally(() => client.end());
  return rows.map(row => row.order_id);
}

describe('canary secrets', () => {
  let places: Place[] = [];
  let keys: Canary[] = [];
  let sink: SpanSink;
  let postgresql: TestPostgresql | undefined;
  let database: string | undefined;
  let mesh: TestMesh | undefined;
  before(async () => {
    sink = await startSpanSink();
    const programs = await findPostgresql();
    postgresql = programs === undefined ? undefined : await startPostgresql(programs);
    database = (await postgresql?.createDatabase())?.replace('telltale@', `telltale:${secrets.database.value}@`);
    mesh = await startTestMesh({ values: ['--set', 'logLevel=trace'], transform: planting(sink, database) });
    keys = await keysOf(mesh);
    await call(mesh);
    await collected(sink);
    places = await placesOf(mesh, sink);
    places.push(...(await logsOf(mesh)));
  });
  after(async () => {
    await mesh?.[Symbol.asyncDispose]();
    await postgresql?.stop();
    await sink?.[Symbol.asyncDispose]();
  });

  it('show in no log, metric, span, configuration or command line', () => {
    assert.ok(keys.length > 2);
    assert.deepEqual(findCanaries([...Object.values(secrets), ...keys], places), []);
  });

  it('were used: the collector was sent its header, and the order is in the database', async (t: TestContext) => {
    assert.ok(sink.headers.every(({ authorization }) => authorization === `Bearer ${secrets.collector.value}`));
    assert.ok(sink.spans.length > 0);
    if (database === undefined && process.env.CI !== 'true')
      return t.skip('no PostgreSQL server is installed: `apt-get install postgresql`');
    assert.ok(database, 'no PostgreSQL server is installed: `apt-get install postgresql`');
    assert.deepEqual(await idsOf(database), ['o-canary']);
  });

  for (const [kind, leak] of Object.entries(leaks)) {
    it(`are looked for where they would be: what is leaked into a ${kind} is found there`, () => {
      const found = findCanaries([leak], places);
      assert.ok(
        found.some(each => each.startsWith(`${leak.name} in ${kind} of `)),
        found.join('\n'),
      );
    });
  }

  it('are found in every form that programs give them', () => {
    const canary = newCanary('x');
    const within = (text: string): Place => ({ kind: 'log', name: 'x', text });
    const forms: BufferEncoding[] = ['hex', 'base64', 'base64url'];
    const texts = ['', '.', '..', '...'].flatMap(start =>
      forms.map(form => Buffer.from(`${start}${canary.value}${start}`).toString(form)),
    );
    for (const text of [...texts, `x${canary.value}y`]) assert.equal(findCanaries([canary], [within(text)]).length, 1, text);
    assert.deepEqual(findCanaries([canary], [within(newCanary('x').value)]), []);
  });
});

const password = newCanary('the password');
const urls: [title: string, url: string][] = [
  ['cannot be reached', `postgresql://telltale:${password.value}@127.0.0.1:1/telltale`],
  ['has a protocol that is none', `mysql://telltale:${password.value}@127.0.0.1/telltale`],
  ['has a URL that is none', `telltale:${password.value}@`],
];
// begun here, beside the mesh: the first takes the 20 s for which a service waits for its database
const ends = urls.map(([title, url]) => [title, endOf(url)] as const);

describe('the password of a database', () => {
  for (const [title, end] of ends) {
    it(`is not printed by a service whose database ${title}`, async () => {
      const { code, text } = await end;
      assert.ok(code === 1 || code === 2, `exit code ${code}`);
      assert.notEqual(text, '');
      assert.deepEqual(findCanaries([password], [{ kind: 'log', name: 'orders', text }]), []);
    });
  }
});

/** How orders end with this database, and what they have printed. */
function endOf(url: string): Promise<{ code: unknown; text: string }> {
  const args = ['--disable-warning=ExperimentalWarning', join('services', 'orders', 'main.ts')];
  const env = { PATH: process.env.PATH, DATABASE_URL: url, TELLTALE_LISTEN: '127.0.0.1:0' };
  return new Promise(resolve =>
    execFile(process.execPath, args, { cwd: repo, env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error?.code, text: `${stdout}${stderr}` }),
    ),
  );
}
