import { setMaxListeners } from 'node:events';
import { promisify } from 'node:util';
import {
  type ServiceDefinition as GrpcDefinition,
  Server,
  ServerCredentials,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { watchCancellation } from './cancellation.ts';
import { limitedDecoder, paddedEncoder, strictDecoder } from './codec.ts';
import { type Address, formatAddress } from './config.ts';
import { endAtDrain } from './drain-streams.ts';
import { adapt, type HandlerOf, type Handlers } from './handler.ts';
import { guardHttp2, type ResetLimit, refuseMalformedTimeout } from './http2-guard.ts';
import { refuseTooMuchMetadata } from './metadata-limit.ts';
import { type MethodDefinition, type ServiceDefinition, serviceName } from './method.ts';
import { isMeasuring, metrics } from './metrics.ts';
import { addReflection } from './reflection.ts';
import type { Serving } from './serve-call.ts';
import { strictFraming } from './strict-framing.ts';
import { requestRules } from './validate.ts';

/** A service with the handlers that answer it. */
export interface Binding {
  readonly definition: ServiceDefinition;
  readonly handlers: Readonly<Record<string, HandlerOf<MethodDefinition>>>;
}

/** Binds handlers to the definition of their service. */
export function bind<Definition extends ServiceDefinition>(definition: Definition, handlers: Handlers<Definition>): Binding {
  return { definition, handlers: handlers as unknown as Binding['handlers'] };
}

/** What a server is made of. */
export interface MeshServerOptions extends Omit<Serving, 'draining' | 'skippingWait' | 'withoutDeadline'> {
  readonly bindings: readonly Binding[];
  readonly resetLimit: ResetLimit;
  /** Whether the server describes its services by gRPC server reflection. */
  readonly reflection: boolean;
}

/** A gRPC server with its health service. */
export interface MeshServer {
  /** Listens, on a free port when the address's is 0; resolves to the port. */
  listen(address: Address): Promise<number>;
  /** Answers health checks, and nothing else, on a second address. */
  listenForHealth(address: Address): Promise<number>;
  /** Sets the status of every service and of the server as a whole, which liveness asks for. */
  setServing(serving: boolean): void;
  /** Sets the status of every service, which readiness and callers ask for, and leaves that of the server as it is. */
  setReady(ready: boolean): void;
  /** Whether a call under way asks for a stop that does not wait until callers have heard of it: the step `skip_drain_wait`. */
  skipsDrainWait(): boolean;
  /**
   * Takes no new calls and waits until the open ones have ended; streams that are open a second later end with UNAVAILABLE,
   * everything else after `ms` milliseconds. Resolves to false if it came to that.
   */
  stop(ms: number): Promise<boolean>;
}

/** How many calls a connection may have open. Envoy's clusters stay below, as it learns this limit too late on a new one. */
const MAX_CONCURRENT_STREAMS = 1000;

/** What a stream that ends by itself gets for it when the server stops, in milliseconds. */
const STREAM_GRACE_MS = 1000;

/** Makes a server; it says NOT_SERVING until told otherwise. */
export function createServer(options: MeshServerOptions): MeshServer {
  const settings = {
    'grpc.max_concurrent_streams': MAX_CONCURRENT_STREAMS,
    interceptors: [watchCancellation, refuseTooMuchMetadata, strictFraming, refuseMalformedTimeout],
  };
  const server = new Server(settings);
  const healthServer = new Server();
  const draining = new AbortController();
  setMaxListeners(0, draining.signal); // each open stream listens
  guardHttp2(server, options.resetLimit);
  const serving: Serving = { ...options, draining: draining.signal, skippingWait: new Set(), withoutDeadline: new Set() };
  for (const { definition, handlers } of options.bindings) {
    server.addService(...implementationOf(definition, handlers, serving));
  }
  const names = ['', ...options.bindings.map(({ definition }) => serviceName(definition).service)];
  const health = new HealthImplementation(Object.fromEntries(names.map(name => [name, 'NOT_SERVING'])));
  const setStatus = (those: string[], serving: boolean) => {
    for (const name of those) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  addHealth(health, server, draining.signal);
  health.addToServer(healthServer);
  if (options.reflection) addReflection(server, [...names.slice(1), HEALTH], draining.signal);
  return {
    listen: address => listen(server, address),
    listenForHealth: address => listen(healthServer, address),
    setServing: serving => setStatus(names, serving),
    setReady: ready => setStatus(names.slice(1), ready),
    skipsDrainWait: () => serving.skippingWait.size > 0,
    stop: async ms => {
      const timer = setTimeout(() => draining.abort(), Math.min(STREAM_GRACE_MS, ms / 2));
      const clean = await stop(server, ms);
      clearTimeout(timer);
      healthServer.forceShutdown(); // the last to go: it says NOT_SERVING until then
      return clean;
    },
  };
}

/** The name of the health service. */
const HEALTH = 'grpc.health.v1.Health';

/** Adds the health service; who watches it is sent away when the server drains. */
function addHealth(health: HealthImplementation, server: Server, draining: AbortSignal): void {
  health.addToServer({
    addService: (definition: GrpcDefinition, { watch, ...others }: UntypedServiceImplementation) =>
      server.addService(definition, { ...others, watch: endAtDrain(draining, watch as (call: unknown) => void) }),
  });
}

type Implementation = [GrpcDefinition, UntypedServiceImplementation];

function implementationOf(definition: ServiceDefinition, handlers: Binding['handlers'], serving: Serving): Implementation {
  const methods: Record<string, MethodDefinition> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(definition)) {
    const handler = handlers[name];
    if (!handler) throw new TypeError(`${method.path} has no handler`);
    const measured = { ...method, ...measuredCodec(method) };
    methods[name] = { ...measured, responseSerialize: asItIs };
    implementation[name] = adapt(measured, handler, serving);
  }
  return [methods as unknown as GrpcDefinition, implementation];
}

/** Serializes what the handler adapter has serialized. */
const asItIs = (answer: Buffer): Buffer => answer;

function measuredCodec(method: MethodDefinition): Pick<MethodDefinition, 'requestDeserialize' | 'responseSerialize'> {
  const { requestSize, responseSize } = metrics.server;
  const labels = { grpc_method: method.path.slice(1) };
  const decode = limitedDecoder(strictDecoder(method.requestDeserialize), requestRules(method.path).maxBytes);
  const encode = paddedEncoder(method.responseSerialize);
  if (!isMeasuring()) return { requestDeserialize: decode, responseSerialize: encode };
  return {
    requestDeserialize: bytes => {
      requestSize.observe(labels, bytes.length);
      return decode(bytes);
    },
    responseSerialize: message => {
      const bytes = encode(message);
      responseSize.observe(labels, bytes.length);
      return bytes;
    },
  };
}

function listen(server: Server, address: Address): Promise<number> {
  return promisify(server.bindAsync.bind(server))(formatAddress(address), ServerCredentials.createInsecure());
}

async function stop(server: Server, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => {
    server.forceShutdown();
    resolve(false);
  }, ms);
  server.tryShutdown(() => resolve(true));
  return promise.finally(() => clearTimeout(timer));
}
