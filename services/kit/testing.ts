import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type ChannelCredentials,
  credentials,
  type Client as GrpcClient,
  makeGenericClientConstructor,
  status,
} from '@grpc/grpc-js';
import { service as healthDefinition } from 'grpc-health-check';
import type { CreateOrderRequest, OrderServiceService } from '../../proto/gen/telltale/orders/v1/orders.ts';
import { type Client, type ClientOptions, createClient } from './client.ts';
import { DIRECT_CHANNEL } from './connect-directly.ts';
import type { Handlers } from './handler.ts';
import { createLogger } from './log.ts';
import { type MethodDefinition, type ServiceDefinition, serviceName } from './method.ts';
import type { CallRecord } from './record.ts';
import { type Binding, createServer, type MeshServerOptions } from './server.ts';
import { frame, type RawAnswer, rawCall } from './testing-raw-call.ts';

/** A server of a test: real sockets, a free port of 127.0.0.1, silent logs, experiments honoured. */
export interface TestServer extends AsyncDisposable {
  /** "127.0.0.1:port". */
  readonly address: string;
  /** The records of the marked calls that have ended. */
  readonly records: CallRecord[];
  /** A client of one of its services; disposed of with the server. */
  client<Definition extends ServiceDefinition>(definition: Definition, options?: Partial<ClientOptions>): Client<Definition>;
}

/** Starts a server with these services; `overrides` changes what it is served with, `port` is any free one unless given. */
export async function startServer(
  bindings: readonly Binding[],
  overrides: Partial<MeshServerOptions> = {},
  port = 0,
): Promise<TestServer> {
  const records: CallRecord[] = [];
  const server = createServer({
    bindings,
    pod: 'test',
    logger: createLogger({ service: 'test', pod: 'test', level: 'silent' }),
    record: record => records.push(record),
    experiments: true,
    requireDeadline: false,
    reflection: false,
    resetLimit: { burst: 100_000, rate: 10_000 },
    ...overrides,
  });
  const bound = await server.listen({ host: '127.0.0.1', port });
  server.setServing(true);
  const address = `127.0.0.1:${bound}`;
  const clients: Disposable[] = [];
  return {
    address,
    records,
    client: (definition, options) => {
      const client = createClient(definition, { address, ...options });
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client[Symbol.dispose]();
      await server.stop(0);
    },
  };
}

/** An order that obeys every rule, over 9.00 EUR for user 123. */
export const ORDER: CreateOrderRequest = {
  orderId: 'o-1',
  userId: 123,
  lines: [{ sku: 'tea', quantity: 2, unitPriceMinor: 450n }],
  currencyCode: 'EUR',
};

/** Handlers of OrderService, which has methods of all four kinds, that answer as little as they can: for tests of the kit. */
export function emptyOrders(
  overrides: Partial<Handlers<typeof OrderServiceService>> = {},
): Handlers<typeof OrderServiceService> {
  return {
    createOrder: () => ({ order: undefined }),
    getOrder: () => ({ order: undefined }),
    listOrders: async function* () {},
    watchOrder: async function* () {},
    async importOrders(requests) {
      for await (const _request of requests);
      return { storedCount: 0, duplicateCount: 0 };
    },
    async *lookupOrders(requests) {
      for await (const { orderId } of requests) yield { orderId, order: undefined };
    },
    ...overrides,
  };
}

/**
 * The suite that every service passes, whatever it does: health, and the answers to what no generated client sends.
 *
 * @param binding makes the service as it is wired in its main.ts, with what it needs; called once
 */
export function testService(binding: () => Promise<Binding> | Binding): void {
  describe('what every service does', () => {
    let server: TestServer;
    let definition: ServiceDefinition;
    before(async () => {
      const bound = await binding();
      definition = bound.definition;
      server = await startServer([bound]);
    });
    after(() => server[Symbol.asyncDispose]());

    const send = (method: MethodDefinition, headers: Record<string, string>, body = frame(Buffer.alloc(0))) =>
      rawCall(server.address, { ':path': method.path, ...headers }, body);
    const forEachMethod = async (check: (method: MethodDefinition) => Promise<void>) => {
      for (const method of Object.values(definition)) await check(method);
    };
    const unaryMethods = () => Object.values(definition).filter(method => !method.requestStream);

    it('Health/Check says SERVING for the service by its full name and for the server', async () => {
      for (const name of ['', serviceName(definition).service])
        assert.equal(await checkHealth(server.address, name), 'SERVING');
    });

    it('Health/Check answers NOT_FOUND for a name that is no service', async () => {
      await assert.rejects(checkHealth(server.address, 'no.such.Service'), { code: status.NOT_FOUND });
    });

    it('a method that the service does not have is UNIMPLEMENTED', async () => {
      const path = `/${serviceName(definition).service}/NoSuchMethod`;
      const answer = await rawCall(server.address, { ':path': path }, frame(Buffer.alloc(0)));
      assert.equal(answer.grpcStatus, status.UNIMPLEMENTED);
    });

    it('a malformed grpc-timeout is INTERNAL on every method', async () => {
      await forEachMethod(async method => {
        const answer = await send(method, { 'grpc-timeout': '-5S' });
        assert.equal(answer.grpcStatus, status.INTERNAL, method.path);
      });
    });

    it('a deadline that has passed on arrival is DEADLINE_EXCEEDED on every method', async () => {
      await forEachMethod(async method => {
        const answer = await send(method, { 'grpc-timeout': '0m' });
        assert.equal(answer.grpcStatus, status.DEADLINE_EXCEEDED, method.path);
      });
    });

    it('bytes that are no message are INTERNAL on every method, and say nothing of the decoder', async () => {
      await forEachMethod(async method => {
        const answer = await send(method, {}, frame(Buffer.from([0x0f, 0xff])));
        assert.equal(answer.grpcStatus, status.INTERNAL, method.path);
        assert.doesNotMatch(answer.grpcMessage, /premature|wire|tag|index|node_modules/i);
      });
    });

    it('no message, or two, to a method that takes one is UNIMPLEMENTED', async () => {
      for (const method of unaryMethods()) {
        const message = frame(Buffer.alloc(0));
        for (const body of [Buffer.alloc(0), Buffer.concat([message, message])]) {
          const answer: RawAnswer = await send(method, {}, body);
          // the first of two may have been answered already, by the rules of its method; never by both
          assert.equal(answer.grpcStatus, status.UNIMPLEMENTED, `${method.path} with ${body.length} bytes`);
        }
      }
    });

    it('a message longer than 4 MiB is RESOURCE_EXHAUSTED on every method', async () => {
      await forEachMethod(async method => {
        const header = Buffer.from([0, 0xff, 0xff, 0xff, 0xff]);
        const answer = await send(method, {}, header);
        assert.equal(answer.grpcStatus, status.RESOURCE_EXHAUSTED, method.path);
      });
    });

    it('another content type than application/grpc is HTTP 415', async () => {
      for (const type of ['text/plain', 'application/grpcfoo', 'application/json']) {
        const [method] = Object.values(definition);
        assert.ok(method);
        assert.equal((await send(method, { 'content-type': type })).httpStatus, 415, type);
      }
    });

    it('a script that is none is INVALID_ARGUMENT and names the metadata', async () => {
      await forEachMethod(async method => {
        const answer = await send(method, { 'telltale-script-bin': Buffer.from([0x0f]).toString('base64') });
        assert.equal(answer.grpcStatus, status.INVALID_ARGUMENT, method.path);
        assert.match(answer.grpcMessage, /telltale-script-bin/);
      });
    });
  });
}

/** Asks a server for the health status of a service, by its name as the health protocol has it; in plain text unless told otherwise. */
export async function checkHealth(
  address: string,
  service: string,
  by: ChannelCredentials = credentials.createInsecure(),
): Promise<string> {
  const HealthClient = makeGenericClientConstructor(healthDefinition, 'Health');
  const options = { ...DIRECT_CHANNEL, 'grpc.ssl_target_name_override': 'mesh' }; // whatever the address
  const client = new HealthClient(address, by, options);
  const check = client.check?.bind(client) as unknown as HealthCheck;
  try {
    return await new Promise((resolve, reject) => {
      check({ service }, { deadline: Date.now() + 5000 }, (error, answer) => (error ? reject(error) : resolve(answer.status)));
    });
  } finally {
    (client as GrpcClient).close();
  }
}

type HealthCheck = (
  request: { service: string },
  options: { deadline: number },
  callback: (error: Error | null, answer: { status: string }) => void,
) => void;
