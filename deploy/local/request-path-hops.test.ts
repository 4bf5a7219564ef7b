import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Metadata, status } from '@grpc/grpc-js';
import { parse } from 'yaml';
import { OrderServiceService as Orders } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { PaymentServiceService as Payments } from '../../proto/gen/telltale/payments/v1/payments.ts';
import { StorefrontServiceService as Storefront } from '../../proto/gen/telltale/storefront/v1/storefront.ts';
import { UserServiceService as Users } from '../../proto/gen/telltale/users/v1/user.ts';
import { createClient } from '../../services/kit/client.ts';
import { deadlineIn } from '../../services/kit/deadline.ts';
import { meshCredentials } from '../../services/kit/mesh-credentials.ts';
import type { RpcError } from '../../services/kit/rpc-error.ts';
import { checkHealth } from '../../services/kit/testing.ts';
import { until } from '../../services/kit/testing-matchers.ts';
import { frame, rawCall } from '../../services/kit/testing-raw-call.ts';
import type { PodView } from './mesh.ts';
import { repo } from './paths.ts';
import { sendHttp } from './testing-http.ts';
import { SERVICES, startTestMesh, type TestMesh } from './testing-mesh.ts';

/** The list of services as the chart has it. */
const values: { services: Record<string, { proto: string; upstreams: string[] }>; edge: { upstreams: string[] } } = parse(
  readFileSync(join(repo, 'charts', 'telltale', 'values.yaml'), 'utf8'),
);

describe('a hop of the mesh', () => {
  let mesh: TestMesh;
  before(async () => {
    mesh = await startTestMesh();
  });
  after(() => mesh?.[Symbol.asyncDispose]());

  const podOf = (service: string) => mesh.pods(service)[0] as PodView;
  /** Makes so many calls of one client at the same time; what the headers of the answers say by this name. */
  async function headersOf(name: string, calls: number, by?: PodView): Promise<string[]> {
    const users = mesh.client(Users, by);
    const seen: string[] = [];
    const onMetadata = (metadata: Metadata) => seen.push(String(metadata.get(name)[0]));
    await Promise.all(
      Array.from({ length: calls }, () => users.getUser({ id: 123 }, { deadline: deadlineIn(5000), onMetadata })),
    );
    assert.equal(seen.length, calls);
    return seen;
  }
  const ids = (header: string) => {
    const [, downstream, upstream] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(header) ?? assert.fail(`"${header}" is not two ids`);
    return { downstream, upstream };
  };

  describe('and its connections', () => {
    it('the edge names them in telltale-edge-connection: the calls of one client share one', async () => {
      const seen = (await headersOf('telltale-edge-connection', 40)).map(ids);
      assert.equal(new Set(seen.map(({ downstream }) => downstream)).size, 1);
      const { headers } = await sendHttp(mesh.edge, { path: '/api/users/123' }); // by a connection of its own
      assert.notEqual(ids(String(headers['telltale-edge-connection'])).downstream, seen[0]?.downstream);
    });

    it('the ingress names them in telltale-ingress-connection: the edge has one to each pod, whoever calls', async () => {
      const seen: string[] = [];
      for (let caller = 0; caller < 20; caller++) {
        const { headers } = await sendHttp(mesh.edge, { path: '/api/users/123' });
        const upstream = ids(String(headers['telltale-edge-connection'])).upstream;
        seen.push(`${upstream} is ${ids(String(headers['telltale-ingress-connection'])).downstream}`);
      }
      assert.ok(new Set(seen).size <= 2, `more than one to a pod: ${[...new Set(seen)]}`);
    });

    it('the egress names them in telltale-egress-connection: the calls of an app share one', async () => {
      const seen = (await headersOf('telltale-egress-connection', 40, podOf('storefront'))).map(ids);
      assert.equal(new Set(seen.map(({ downstream }) => downstream)).size, 1);
    });

    it('the egress names the pod in telltale-egress-upstream, and gives each replica every other of 100 calls', async () => {
      const name = 'telltale-egress-upstream';
      // a replica has no calls before the egress has seen it healthy
      await until(async () => new Set(await headersOf(name, 2, podOf('storefront'))).size === 2);
      const seen = await headersOf(name, 100, podOf('storefront'));
      const counts = mesh.pods('users').map(({ address }) => seen.filter(upstream => upstream === `${address}:50051`).length);
      assert.deepEqual(counts, [50, 50]);
    });

    it('an answer by the edge says nothing of the hops behind its callee, nor of Envoy', async () => {
      const { headers } = await sendHttp(mesh.edge, { path: '/api/users/123/profile' });
      const names = Object.keys(headers).filter(name => /^(telltale|x-envoy|server)/.test(name));
      assert.deepEqual(names.sort(), ['server', 'telltale-edge-connection', 'telltale-ingress-connection']);
      assert.equal(headers.server, 'telltale');
    });
  });

  describe('and who may call whom', () => {
    // each is refused by the callee itself when it gets there
    const options = () => ({ deadline: deadlineIn(5000) });
    const ask: Record<string, (by?: PodView) => Promise<unknown>> = {
      storefront: by => mesh.client(Storefront, by).getProfile({ userId: 0, orderLimit: 0 }, options()),
      users: by => mesh.client(Users, by).getUser({ id: 0 }, options()),
      orders: by => mesh.client(Orders, by).getOrder({ orderId: '' }, options()),
      payments: by => mesh.client(Payments, by).getCharge({ idempotencyKey: '' }, options()),
    };

    for (const caller of ['edge', ...SERVICES]) {
      const upstreams = (values.services[caller] ?? values.edge).upstreams;
      it(`${caller} reaches ${upstreams.join(', ') || 'nobody'}; any other service is UNIMPLEMENTED`, async () => {
        for (const callee of SERVICES) {
          const by = caller === 'edge' ? undefined : podOf(caller);
          const error: RpcError = await (ask[callee] as (typeof ask)[string])(by).then(
            () => assert.fail(`${callee} answered`),
            thrown => thrown,
          );
          const expected = upstreams.includes(callee) ? 'INVALID_ARGUMENT' : 'UNIMPLEMENTED';
          assert.equal(status[error.code], expected, `${callee}: ${error.message}`);
        }
      });
    }

    it('a method of one service by the name of another one is UNIMPLEMENTED', async () => {
      using payments = createClient(Payments, { address: `${podOf('storefront').address}:15001`, authority: 'users' });
      await assert.rejects(payments.getCharge({ idempotencyKey: 'x' }, options()), { code: status.UNIMPLEMENTED });
    });
  });

  describe('and what tools ask', () => {
    const listServices = frame(Buffer.from([0x3a, 0])); // ServerReflectionRequest {list_services: ""}
    for (const version of ['v1', 'v1alpha']) {
      const headers = { ':path': `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo` };

      it(`reflection ${version} by the app's own port, which only its pod reaches, lists the app's service`, async () => {
        for (const service of SERVICES) {
          const answer = await rawCall(`${podOf(service).address}:50052`, headers, listServices);
          assert.equal(answer.grpcStatus, status.OK);
          const listed = Object.values(values.services).filter(({ proto }) => answer.body.includes(proto));
          assert.deepEqual(listed, [values.services[service]]);
        }
      });

      it(`reflection ${version} by the edge is UNIMPLEMENTED`, async () => {
        assert.equal((await rawCall(mesh.edge, headers, listServices)).grpcStatus, status.UNIMPLEMENTED);
      });
    }

    it('health by the ingress of every pod is SERVING for its service and for the server, and NOT_FOUND for another', async () => {
      const credentialsOf = meshCredentials(mesh.identityFolder('check'));
      for (const service of SERVICES) {
        const by = credentialsOf(service);
        for (const { address } of mesh.pods(service)) {
          for (const name of [values.services[service]?.proto ?? '', '']) {
            assert.equal(await checkHealth(`${address}:50051`, name, by), 'SERVING');
          }
          await assert.rejects(checkHealth(`${address}:50051`, 'no.such.Service', by), { code: status.NOT_FOUND });
        }
      }
    });

    it('port 15021 of every pod answers GET /ready and GET /stats/prometheus, and nothing else of Envoy’s admin', async () => {
      const refused = ['/', '/stats', '/config_dump', '/quitquitquit', '/ready/', '/ready/../config_dump', '/logging'];
      for (const { address } of [...mesh.all(), podOf('edge')]) {
        const ask = async (path: string, method = 'GET') => (await sendHttp(`${address}:15021`, { path, method })).status;
        assert.equal(await ask('/ready'), 200);
        assert.equal(await ask('/stats/prometheus'), 200);
        for (const path of refused) assert.equal(await ask(path), 404, path);
        for (const path of [...refused, '/ready', '/stats/prometheus', '/healthcheck/fail', '/drain_listeners']) {
          assert.equal(await ask(path, 'POST'), 404, `POST ${path}`);
        }
      }
    });
  });
});
