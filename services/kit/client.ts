import { type ChannelCredentials, credentials, Client as GrpcClient, type Metadata, type ServiceConfig } from '@grpc/grpc-js';
import { awaitAnswer, type Messages, readAnswers, type Upstream } from './client-call.ts';
import { DIRECT_CHANNEL } from './connect-directly.ts';
import type { CallContext } from './context.ts';
import { type Deadline, deadlineIn } from './deadline.ts';
import {
  type ByKind,
  type MethodDefinition,
  type RequestOf,
  type ResponseOf,
  type ServiceDefinition,
  serviceName,
} from './method.ts';
import { type ChannelObservation, observeChannel } from './observe-channel.ts';
import { readStrictly } from './strict-answers.ts';

/**
 * How long a call may take. There is no third form, so that no call is without a deadline:
 * - `context`: the call is made while serving another one. It ends with that one, whether it is cancelled, expired or
 *   answered, and takes what is left of its deadline, less a reserve for the way back; `deadline` can only tighten that.
 * - `deadline` alone: the call stands by itself.
 */
export type CallOptions = ({ context: CallContext; deadline?: Deadline } | { context?: never; deadline: Deadline }) & {
  /** Cancels the call when aborted. */
  signal?: AbortSignal;
  /** Sent along; what the context's experiment forwards is added. */
  metadata?: Metadata;
  /** Is given the metadata that the callee sends before its first message. */
  onMetadata?: (metadata: Metadata) => void;
};

/** One function per method of the service; each rejects (or throws while iterating) with an RpcError. */
export type Client<Definition> = {
  readonly [Name in keyof Definition]: ByKind<
    Definition[Name],
    (request: RequestOf<Definition[Name]>, options: CallOptions) => Promise<ResponseOf<Definition[Name]>>,
    (request: RequestOf<Definition[Name]>, options: CallOptions) => AsyncIterable<ResponseOf<Definition[Name]>>,
    (requests: Messages<RequestOf<Definition[Name]>>, options: CallOptions) => Promise<ResponseOf<Definition[Name]>>,
    (requests: Messages<RequestOf<Definition[Name]>>, options: CallOptions) => AsyncIterable<ResponseOf<Definition[Name]>>
  >;
} & Disposable;

/** How a client reaches its service. */
export interface ClientOptions {
  /** "host:port" or another grpc-js target; in the mesh the egress listener of the pod's own sidecar. */
  readonly address: string;
  /** What to ask for by `:authority`; the short name of the service unless given. The sidecar routes by it. */
  readonly authority?: string;
  /** grpc-js's service config; write durations as objects (deadline.ts: durationOf), as strings they are misread. */
  readonly serviceConfig?: ServiceConfig;
  /**
   * Whether the channel has a connection of its own. Default false: channels of a process with equal options share one, which
   * grpc-js closes with the last of them.
   */
  readonly ownConnection?: boolean;
  /** How the two ends know each other; in plain text unless given, as TLS is the sidecar's. By TLS the callee is asked for by `authority`. */
  readonly credentials?: ChannelCredentials;
}

/**
 * A client of a service: one channel, made for the life of the process, over which all its calls share one connection, unless its
 * service config says otherwise. Dispose of it to close what it has opened.
 */
export function createClient<Definition extends ServiceDefinition>(
  definition: Definition,
  options: ClientOptions,
): Client<Definition> {
  readStrictly();
  const { short } = serviceName(definition);
  const authority = options.authority ?? short;
  const channel = new GrpcClient(options.address, options.credentials ?? credentials.createInsecure(), {
    'grpc.default_authority': authority,
    ...(options.credentials && { 'grpc.ssl_target_name_override': authority }), // TLS cannot ask for an address: RFC 6066, section 3
    ...DIRECT_CHANNEL,
    'grpc.use_local_subchannel_pool': options.ownConnection ? 1 : 0,
    'grpc.service_config_disable_resolution': 1, // else each resolution asks DNS for a TXT record, too
    'grpc.service_config': JSON.stringify(
      options.serviceConfig ?? { loadBalancingConfig: [{ pick_first: {} }], methodConfig: [] },
    ),
  });
  const observation = observeChannel(channel.getChannel(), short);
  const methods = Object.entries(definition).map(([name, method]) => [name, callerOf(channel, method, short, observation)]);
  return { ...Object.fromEntries(methods), [Symbol.dispose]: () => channel.close() };
}

/** Options for a call that outlives the call it is made for: no cancellation, and a deadline of its own in `ms` milliseconds. */
export function detached(ms: number): { deadline: Deadline } {
  return { deadline: deadlineIn(ms) };
}

function callerOf(channel: GrpcClient, method: MethodDefinition, name: string, observation: ChannelObservation) {
  const upstream: Upstream = { name, observe: () => observation.call(method.path.slice(1)) };
  const { path, responseDeserialize: decode } = method;
  const encode = method.requestSerialize as (message: unknown) => Buffer;
  if (method.requestStream && method.responseStream) {
    return (requests: Messages<unknown>, options: CallOptions) =>
      readAnswers(upstream, options, wire => channel.makeBidiStreamRequest(path, encode, decode, ...wire), requests);
  }
  if (method.requestStream) {
    return (requests: Messages<unknown>, options: CallOptions) =>
      awaitAnswer(
        upstream,
        options,
        (wire, done) => channel.makeClientStreamRequest(path, encode, decode, ...wire, done),
        requests,
      );
  }
  if (method.responseStream) {
    return (request: unknown, options: CallOptions) =>
      readAnswers(upstream, options, wire => channel.makeServerStreamRequest(path, encode, decode, request, ...wire));
  }
  return (request: unknown, options: CallOptions) =>
    awaitAnswer(upstream, options, (wire, done) => {
      const decodeAndReadOn = (bytes: Buffer) => {
        call.call?.startRead(); // grpc-js does not: a second message, which is refused, would be held until the deadline
        return decode(bytes);
      };
      const call = channel.makeUnaryRequest(path, encode, decodeAndReadOn, request, ...wire, done);
      return call;
    });
}
