import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, it } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import { Script } from '../../proto/gen/telltale/script/v1/script.ts';
import { kitVariables, parseConfig, storeVariables } from '../../services/kit/config.ts';
import { containersOf, podSpecs, renderObjects } from '../chart-objects.ts';
import { runCli } from '../local/cli.ts';
import { serveControl } from '../local/control.ts';
import { reapLeftovers } from '../local/pid-records.ts';
import { programOf } from '../local/program.ts';
import { parseObjects } from '../local/render.ts';
import { runInfo } from '../local/run-folder.ts';
import { deployment, testFolder } from '../local/testing-chart.ts';
import { runObjects } from '../local/testing-deployments.ts';
import { readObjectives } from '../observability/slo.ts';
import { readFloors } from './floors.ts';

/** What would make every object of the process have `polluted`, if it were merged key by key. */
const POISON = '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}';
/** The same at the top, within an object, and within a list. */
const JSON_POISON = `{${POISON},"spec":{${POISON},"template":{${POISON}}},"list":[{${POISON}}]}`;
const YAML_POISON = `__proto__: {polluted: true}
constructor: {prototype: {polluted: true}}
"__proto__.polluted": true
base: &base {__proto__: {polluted: true}}
merged: {<<: *base, __proto__: {polluted: true}}
`;
/** Names that an object has without being given them. */
const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'];

const untouched = Reflect.ownKeys(Object.prototype);

/** What was added to the prototypes that all objects have; removed again. */
function pollution(): string[] {
  const added = Reflect.ownKeys(Object.prototype).filter(key => !untouched.includes(key));
  for (const key of added) Reflect.deleteProperty(Object.prototype, key);
  return added.map(String);
}

/** Whatever it answers, or refuses, is of no interest here. */
async function fed(call: () => unknown): Promise<void> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof Error);
  }
}

/** What must never be written: the merge that pollutes. */
function merge(into: Record<string, unknown>, from: Record<string, unknown>): void {
  for (const key of Object.keys(from)) {
    const [mine, other] = [into[key], from[key]];
    if (typeof mine === 'object' && mine && typeof other === 'object' && other)
      merge(mine as Record<string, unknown>, other as Record<string, unknown>);
    else into[key] = other;
  }
}

describe('prototype pollution', () => {
  afterEach(() => assert.deepEqual(pollution(), []));

  it('is found when there is one, which the poison makes by a merge', () => {
    merge({}, JSON.parse(JSON_POISON));
    assert.equal(({} as { polluted?: unknown }).polluted, true);
    assert.deepEqual(pollution(), ['polluted']);
  });

  it('is not made by the body, the path, the query or a header of the control API', async () => {
    using folder = testFolder();
    await using running = await runObjects(folder, [deployment('users', 1, { containers: [folder.container('app', 8082)] })]);
    const control = await serveControl(folder.paths.socket, running.deployments);
    const call = async (method: string, path: string, type = 'application/merge-patch+json') => {
      const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
      const headers = { 'content-type': type, __proto__polluted: 'true', constructor: 'true' };
      request({ socketPath: folder.paths.socket, method, path, headers }, async response => {
        await text(response);
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end(method === 'PATCH' ? JSON_POISON : undefined);
      return promise;
    };
    const apps = '/apis/apps/v1/namespaces/telltale/deployments';
    assert.equal(await call('PATCH', `${apps}/users/scale`), 422);
    assert.equal(await call('PATCH', `${apps}/users`), 422);
    for (const name of NAMES) {
      assert.equal(await call('GET', `${apps}/${name}`), 404);
      assert.equal(await call('PATCH', `${apps}/${name}/scale`), 404);
      assert.equal(await call('DELETE', `/api/v1/namespaces/telltale/pods/${name}`), 404);
      assert.equal(
        await call('GET', `/api/v1/namespaces/telltale/pods?labelSelector=${name}=polluted&${name}[polluted]=true`),
        200,
      );
    }
    await control.close();
  });

  it('is not made by the command line', async () => {
    using folder = testFolder();
    const { signal } = new AbortController();
    for (const name of NAMES) {
      for (const args of [
        ['scale', name, '2'],
        ['restart', name],
        ['logs', name],
        [name],
        [`--${name}`, 'x'],
        ['up', `--${name}.polluted=true`],
      ])
        assert.notEqual(await runCli(['--run-dir', folder.paths.dir, ...args], signal), 0, args.join(' '));
    }
    process.exitCode = undefined;
  });

  it('is not made by what a run keeps in its folder', async () => {
    using folder = testFolder();
    mkdirSync(folder.paths.pids, { recursive: true });
    writeFileSync(folder.paths.supervisor, JSON_POISON);
    writeFileSync(join(folder.paths.pids, '1'), `{"pid":1,"identity":"another",${POISON}}`);
    await fed(() => runInfo(folder.paths.dir));
    assert.deepEqual(await reapLeftovers(folder.paths.pids), []);
  });

  it('is not made by a rendered chart, nor by the variables of a container', () => {
    const [object] = parseObjects(
      `kind: ConfigMap\nmetadata: {name: x, labels: {__proto__: {polluted: true}}}\n${YAML_POISON}`,
    );
    assert.equal(object?.kind, 'ConfigMap');
    const env = NAMES.map(name => ({ name, value: '$(__proto__) $(constructor)' }));
    const container = { name: 'app', image: 'telltale:test', command: ['node', '$(toString)'], env };
    programOf(container, { name: 'x', address: '127.0.0.1' }, value => value, { envoy: 'envoy' });
  });

  it('is not made by slo.yaml or floors.yaml', async () => {
    await fed(() => readObjectives(YAML_POISON));
    await fed(() => readObjectives(`window: 30d\nobjectives: [{__proto__: {polluted: true}, name: x}]\n${YAML_POISON}`));
    await fed(() => readFloors(YAML_POISON));
    await fed(() =>
      readFloors(`floors: {__proto__: {range: "*"}, constructor: {prototype: {polluted: true}}}\n${YAML_POISON}`),
    );
  });

  it('is not made by the environment of a service', async () => {
    const env = Object.fromEntries(
      NAMES.flatMap(name => [
        [name, 'polluted'],
        [`TELLTALE_${name}`, 'polluted'],
      ]),
    );
    await fed(() => parseConfig({ ...kitVariables, ...storeVariables }, env));
  });

  it('cannot be made by __proto__ in any pod of ours: no object has it there', async () => {
    const containers = [...podSpecs(await renderObjects()).values()].flatMap(containersOf);
    const ours = containers.filter(({ command }) => command?.[0] === 'node');
    assert.ok(ours.length >= 5); // the services, and the check of helm test
    for (const { command } of ours) assert.equal(command?.[1], '--disable-proto=delete');
  });

  it('is not made by the metadata or the message of a call', async () => {
    const metadata = new Metadata();
    for (const name of NAMES) await fed(() => metadata.set(name, 'polluted'));
    Metadata.fromHttp2Headers(JSON.parse(`{"__proto__":"polluted","constructor":"polluted","x-a":["b"]}`));
    metadata.merge(metadata.clone());
    Script.fromJSON(JSON.parse(`{"steps":[{${POISON},"service":"users"}],${POISON}}`));
    Script.fromPartial(JSON.parse(`{${POISON}}`));
  });
});
