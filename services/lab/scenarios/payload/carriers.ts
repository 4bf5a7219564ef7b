import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import {
  compressionAlgorithms,
  credentials,
  Client as GrpcClient,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import {
  type CreateOrderRequest,
  CreateOrderResponse,
  OrderServiceService,
} from '../../../../proto/gen/telltale/orders/v1/orders.ts';
import { DIRECT_CHANNEL } from '../../../kit/connect-directly.ts';
import { deadlineIn } from '../../../kit/deadline.ts';
import { LOOPBACK, openByteRelay } from './byte-relay.ts';
import type { OrderFormat, PlainOrder } from './order-formats.ts';

/** Sends orders to a server of its own, over one connection on loopback. */
export interface Carrier extends AsyncDisposable {
  /** Sends an order; resolves, with what the server has decoded, once its short answer is here. */
  send(order: CreateOrderRequest): Promise<PlainOrder | CreateOrderRequest>;
  /** The bytes that have gone over the connection both ways, as its sockets have counted them. */
  bytes(): number;
}

/** How long an order may be under way, in milliseconds. */
const SEND_MS = 5000;

/** Opens the carrier of a format: JSON goes by HTTP/1.1, Protocol Buffers by gRPC. */
export const openCarrier = (format: OrderFormat): Promise<Carrier> =>
  format.name === 'json' ? openHttpCarrier(format) : openGrpcCarrier(format);

async function openHttpCarrier(format: OrderFormat): Promise<Carrier> {
  let received: PlainOrder | CreateOrderRequest | undefined;
  const server = createServer(async (incoming, response) => {
    received = format.decode(await buffer(incoming));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 }).end('{}');
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const relay = await openByteRelay((server.address() as AddressInfo).port);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    bytes: relay.bytes,
    async send(order) {
      const body = format.encoder(order)();
      const headers = {
        'content-type': 'application/json',
        'content-length': body.length,
        ...(format.gzip && { 'content-encoding': 'gzip' }),
      };
      const way = { host: LOOPBACK, port: relay.port, path: '/api/orders', method: 'POST', agent, headers };
      const outgoing = request({ ...way, signal: AbortSignal.timeout(SEND_MS) });
      outgoing.end(body);
      const [response] = await once(outgoing, 'response');
      await buffer(response);
      return received ?? Promise.reject(new Error('the server has received nothing'));
    },
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      await relay[Symbol.asyncDispose]();
      server.close();
    },
  };
}

async function openGrpcCarrier(format: OrderFormat): Promise<Carrier> {
  let received: CreateOrderRequest | undefined;
  const { createOrder } = OrderServiceService;
  const server = new Server();
  server.addService({ createOrder } as ServiceDefinition, {
    createOrder: (call: { request: CreateOrderRequest }, answer: (error: null, response: CreateOrderResponse) => void) => {
      received = call.request;
      answer(null, CreateOrderResponse.create());
    },
  });
  const listen = promisify(server.bindAsync.bind(server));
  const relay = await openByteRelay(await listen(`${LOOPBACK}:0`, ServerCredentials.createInsecure()));
  const { gzip, identity } = compressionAlgorithms;
  const client = new GrpcClient(`${LOOPBACK}:${relay.port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': format.gzip ? gzip : identity,
    ...DIRECT_CHANNEL,
  });
  return {
    bytes: relay.bytes,
    send: order => {
      const { promise, resolve, reject } = Promise.withResolvers<CreateOrderRequest>();
      const { path, requestSerialize, responseDeserialize } = createOrder;
      const limits = { deadline: deadlineIn(SEND_MS) };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, order, new Metadata(), limits, error => {
        if (error || !received) reject(error ?? new Error('the server has received nothing'));
        else resolve(received);
      });
      return promise;
    },
    [Symbol.asyncDispose]: async () => {
      client.close();
      await relay[Symbol.asyncDispose]();
      server.forceShutdown();
    },
  };
}
