import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { service as healthDefinition } from 'grpc-health-check';
import { parse } from 'yaml';
import { check } from '../../services/check/check.ts';
import { meshCredentials } from '../../services/check/mesh-credentials.ts';
import { identityOf } from '../../services/issuer/identity.ts';
import { frame, rawCall } from '../../services/kit/testing-raw-call.ts';
import { type ConfigMap, type KubeObject, namespace } from './manifest.ts';
import type { PodView } from './mesh.ts';
import { repo } from './paths.ts';
import { callPod, HEALTH_CHECK, leafFor, tlsBy } from './testing-caller.ts';
import { sendHttp } from './testing-http.ts';
import { SERVICES, startTestMesh, type TestMesh } from './testing-mesh.ts';
import { waitUntil } from './wait.ts';

const chart = join(repo, 'charts', 'telltale');
/** What is declared: who may call whom. */
const values: {
  services: Record<string, { proto: string; upstreams: string[]; runsExperiments?: boolean }>;
  edge: { upstreams: string[] };
} = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));
const CALLEES = Object.keys(values.services);

/** Every path that a pod may be asked for: the methods of all contracts, and those that tools ask for. */
const PATHS = [
  ...fromBinary(FileDescriptorSetSchema, readFileSync(join(chart, 'files', 'envoy', 'telltale.binpb')))
    .file.filter(file => file.package.startsWith('telltale.'))
    .flatMap(file => file.service.flatMap(({ name, method }) => method.map(each => `/${file.package}.${name}/${each.name}`))),
  ...Object.values(healthDefinition).map(({ path }) => path),
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
];

/** Every identity that there is, and one that the authority has given to somebody whom no value names. */
const CALLERS = ['edge', ...CALLEES, 'check', 'stranger'];

const sentence = (caller: string, callee: string, path: string) => `${caller} may call ${path} of ${callee}`;

/** What callers may do by what values.yaml says. */
function declared(callees: readonly string[]): string[] {
  return callees.flatMap(callee => {
    const { proto, runsExperiments = false } = values.services[callee] ?? {};
    const callers = CALLERS.filter(caller => {
      if (runsExperiments && caller !== callee) return caller === 'edge' || CALLEES.includes(caller); // the local run has experiments
      const { upstreams } = values.services[caller] ?? (caller === 'edge' ? values.edge : { upstreams: [] });
      return upstreams.includes(callee);
    });
    const own = PATHS.filter(path => path.startsWith(`/${proto}/`));
    return [
      ...callers.flatMap(caller => own.map(path => sentence(caller, callee, path))),
      ...[...callers, 'check'].map(caller => sentence(caller, callee, HEALTH_CHECK)),
    ];
  });
}

/** What callers can do, by calling a pod of each of these services itself. */
async function observed(mesh: TestMesh, callees: readonly string[]): Promise<string[]> {
  const authority = await mesh.authority();
  const seen = callees.map(async callee => {
    const pod = mesh.pods(callee)[0] as PodView;
    const can: string[] = [];
    for (const caller of CALLERS) {
      const tls = tlsBy(await leafFor(caller, authority), authority.certificate);
      for (const path of PATHS) {
        const { httpStatus, grpcStatus, grpcMessage } = await callPod(pod, path, tls);
        assert.equal(httpStatus, 200);
        const denied = grpcStatus === status.PERMISSION_DENIED;
        if (denied) assert.equal(grpcMessage, 'RBAC: access denied');
        else can.push(sentence(caller, callee, path));
      }
    }
    return can;
  });
  return (await Promise.all(seen)).flat();
}

describe('over the mesh', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const podOf = (service: string) => mesh.pods(service)[0] as PodView;
  const callAs = async (caller: string, pod: PodView, path: string) => {
    const authority = await mesh.authority();
    return callPod(pod, path, tlsBy(await leafFor(caller, authority), authority.certificate));
  };

  it('each identity may call what values.yaml says, and nothing else of any method of any service', async t => {
    const can = await observed(mesh, CALLEES);
    t.diagnostic(`${can.length} of ${CALLERS.length * PATHS.length * CALLEES.length} are allowed`);
    assert.deepEqual(can.sort(), declared(CALLEES).sort());
  });

  it('an answer that denies names nobody, and the log of the ingress says who was denied', async () => {
    const pod = podOf('payments');
    for (const path of ['/telltale.payments.v1.PaymentService/Denied', HEALTH_CHECK]) {
      const { headers, grpcMessage } = await callAs('users', pod, path);
      assert.equal(grpcMessage, 'RBAC: access denied');
      assert.doesNotMatch(JSON.stringify(headers), /spiffe|users|orders|storefront/);
      const lines = () => readFileSync(pod.logFile('envoy'), 'utf8').split('\n');
      const line = () => lines().find(each => each.includes(`"path":"${path}"`) && each.includes('sa/users'));
      assert.ok(await waitUntil(() => line() !== undefined, { timeoutMs: 15_000 })); // Envoy writes each 10 s
      const { listener, peer, grpc, details } = JSON.parse(line() ?? '');
      assert.deepEqual(
        { listener, peer, grpc, details },
        {
          listener: 'ingress',
          peer: identityOf(namespace, 'users'),
          grpc: status.PERMISSION_DENIED,
          details: 'rbac_access_denied_matched_policy[none]',
        },
      );
    }
  });

  it('what `helm test` checks, it may check', async () => {
    const lines: string[] = [];
    const credentialsOf = meshCredentials(mesh.identityFolder('check'));
    const services = SERVICES.map(name => ({
      address: `${podOf(name).address}:50051`,
      proto: values.services[name]?.proto ?? '',
      credentials: credentialsOf(name),
    }));
    const well = await check({ edge: mesh.edge, services, patienceMs: 5000, report: line => lines.push(line) });
    assert.ok(well, lines.join('\n'));
    // the control: a pod of another service does not pass for it
    const impostor = { ...services[0], address: `${podOf('users').address}:50051` } as (typeof services)[0];
    assert.equal(
      await check({ edge: mesh.edge, services: [impostor], patienceMs: 0, report: line => lines.push(line) }),
      false,
    );
    assert.match(lines.join('\n'), /wrong telltale\.storefront\.v1\.StorefrontService is SERVING .*sa\/users/);
  });

  it('the ports of a pod that speak plain text answer health, metrics and nothing else', async () => {
    for (const { address } of mesh.all()) {
      for (const path of PATHS.filter(each => !each.startsWith('/grpc.health.'))) {
        const { grpcStatus } = await rawCall(`${address}:8081`, { ':path': path }, frame(Buffer.alloc(0)));
        assert.equal(grpcStatus, status.UNIMPLEMENTED, path);
      }
      assert.equal((await sendHttp(`${address}:9464`, { path: '/metrics' })).status, 200);
      for (const path of ['/', '/metrics/', '/config', '/debug', '/metrics/../']) {
        assert.equal((await sendHttp(`${address}:9464`, { path })).status, 404, path);
      }
    }
  });
});

describe('over a mesh whose rule for payments is wider than values.yaml says, the control', () => {
  it('somebody may call what values.yaml does not say', async () => {
    const widen = (objects: KubeObject[]) => {
      const { data = {} } = objects.find(({ metadata }) => metadata.name === 'payments-envoy') as ConfigMap;
      const text = data['envoy.yaml'] ?? '';
      data['envoy.yaml'] = text.replace(`exact: "${identityOf(namespace, 'orders')}"`, 'prefix: "spiffe://telltale/"');
      assert.notEqual(data['envoy.yaml'], text);
      return objects;
    };
    await using mesh = await startTestMesh({ transform: widen });
    const can = new Set(await observed(mesh, ['payments']));
    const more = can.difference(new Set(declared(['payments'])));
    assert.ok(more.has('stranger may call /telltale.payments.v1.PaymentService/Charge of payments'), [...more].join('\n'));
  });
});
