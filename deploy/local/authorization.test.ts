import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { check } from '../../services/check/check.ts';
import { identityOf } from '../../services/kit/identity.ts';
import { meshCredentials } from '../../services/kit/mesh-credentials.ts';
import { frame, rawCall } from '../../services/kit/testing-raw-call.ts';
import { type ConfigMap, type KubeObject, namespace } from './manifest.ts';
import type { PodView } from './mesh.ts';
import { CALLEES, CALLERS, declared, isAllowed, PATHS, sentence, values } from './testing-access.ts';
import { callPod, HEALTH_CHECK, leafFor, tlsBy } from './testing-caller.ts';
import { sendHttp } from './testing-http.ts';
import { SERVICES, startTestMesh, type TestMesh } from './testing-mesh.ts';
import { waitUntil } from './wait.ts';

/** What callers can do, by calling a pod of each of these services itself, sorted. */
async function observed(mesh: TestMesh, callees: readonly string[]): Promise<string[]> {
  const authority = await mesh.authority();
  const seen = callees.map(async callee => {
    const pod = mesh.pods(callee)[0] as PodView;
    const can: string[] = [];
    for (const caller of CALLERS) {
      const tls = tlsBy(await leafFor(caller, authority), authority.certificate);
      for (const path of PATHS) {
        if (isAllowed(await callPod(pod, path, tls))) can.push(sentence(caller, callee, path));
      }
    }
    return can;
  });
  return (await Promise.all(seen)).flat().sort();
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
    assert.deepEqual(can, declared(CALLEES));
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

describe('over a mesh with rules that are wider than values.yaml says, the control', () => {
  /** What somebody can do then, and the part of a rule by whose place another lets them. */
  const widenings: Record<string, [service: string, can: string, part: string, wider: string]> = {
    'in who may call': [
      'payments',
      sentence('stranger', 'payments', '/telltale.payments.v1.PaymentService/Charge'),
      `exact: "${identityOf(namespace, 'orders')}"`,
      'prefix: "spiffe://telltale/"',
    ],
    'in what may be called': [
      'users',
      sentence('edge', 'users', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'),
      'url_path: {path: {prefix: /telltale.users.v1.UserService/}}',
      'url_path: {path: {prefix: /}}',
    ],
  };
  const widen = (objects: KubeObject[]) => {
    for (const [service, , part, wider] of Object.values(widenings)) {
      const { data = {} } = objects.find(({ metadata }) => metadata.name === `${service}-envoy`) as ConfigMap;
      const text = data['envoy.yaml'] ?? '';
      data['envoy.yaml'] = text.replace(part, wider);
      assert.notEqual(data['envoy.yaml'], text);
    }
    return objects;
  };
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh({ transform: widen });
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  for (const [where, [service, more]] of Object.entries(widenings)) {
    it(`one that is wider ${where} is seen: what ${service} lets callers do is not what is declared`, async () => {
      const can = await observed(mesh, [service]);
      assert.notDeepEqual(can, declared([service]));
      const unexpected = can.filter(each => !declared([service]).includes(each));
      assert.ok(unexpected.includes(more), unexpected.join('\n'));
    });
  }

  it('those that are as declared are not', async () => {
    assert.deepEqual(await observed(mesh, ['orders']), declared(['orders']));
  });
});
