import { EventEmitter } from 'node:events';
import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { type Context, context, isSpanContextValid, propagation, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { GrpcInstrumentation, type GrpcInstrumentationConfig } from '@opentelemetry/instrumentation-grpc';

type AnyFunction = (this: unknown, ...args: never[]) => unknown;
type Patch = (original: AnyFunction) => AnyFunction;
type Wrap = (target: object, name: string, wrapper: Patch) => unknown;

/** The private members of GrpcInstrumentation that are replaced here. */
interface Internals {
  _wrap: Wrap;
  _patchServer(): Patch;
  _patchClientRequestMethod(grpc: object, streams: boolean, name: string): Patch;
}

/** GrpcInstrumentation with what TypeScript takes for its own affair. */
const Open = GrpcInstrumentation as unknown as new (
  config: GrpcInstrumentationConfig,
) => Pick<GrpcInstrumentation, keyof GrpcInstrumentation> & Internals;

/** What grpc-js's Server keeps of a method, as far as it is used here. */
interface Registered {
  func: AnyFunction;
}

/**
 * instrumentation-grpc that makes no span for a call whose parent is not sampled, where it would make one that records nothing: at
 * a tenth of the calls sampled, that is most of what tracing costs. The parent goes on to the next hop as it came. Nor does it wrap
 * what would capture metadata, which is not asked for.
 */
export class SampledInstrumentation extends Open {
  constructor(config: GrpcInstrumentationConfig) {
    super(config);
    const wrap = this._wrap;
    this._wrap = (target, name, wrapper) => (name === 'sendMetadata' ? undefined : wrap(target, name, wrapper));
  }

  override _patchServer(): Patch {
    return serveUnsampled(super._patchServer());
  }

  override _patchClientRequestMethod(grpc: object, streams: boolean, name: string): Patch {
    return callUnsampled(super._patchClientRequestMethod(grpc, streams, name));
  }
}

/** Of Server.register: calls whose parent is not sampled go to the handler itself, with that parent. */
function serveUnsampled(patch: Patch): Patch {
  return register => {
    const traced = patch(register);
    return function (this: unknown, ...args) {
      const registered = traced.apply(this, args);
      const [name, handler] = args as unknown as [string, AnyFunction];
      const found = (this as { handlers: Map<string, Registered> }).handlers.get(name);
      if (!found) return registered;
      const tracing = found.func;
      found.func = function (this: unknown, ...call) {
        const { metadata } = call[0] as unknown as ServerUnaryCall<unknown, unknown>;
        if (!isUnsampled(metadata)) return tracing.apply(this, call);
        return context.with(parentOf(metadata), () => handler.apply(this, call));
      };
      return registered;
    };
  };
}

/** Of Client.make…Request: a call made for one that is not sampled takes its parent along. */
function callUnsampled(patch: Patch): Patch {
  return make => {
    const traced = patch(make);
    return function (this: unknown, ...args) {
      const parent = trace.getSpanContext(context.active());
      const metadata = (args as unknown[]).find(isMetadata);
      const untraced = parent && isSpanContextValid(parent) && (parent.traceFlags & TraceFlags.SAMPLED) === 0;
      if (!untraced || !metadata) return traced.apply(this, args);
      propagation.inject<Metadata>(context.active(), metadata, { set: (carrier, key, value) => carrier.set(key, value) });
      return make.apply(this, args);
    };
  };
}

/** The last two digits of a traceparent, the flags, without the bit "sampled"; see W3C Trace Context. */
const UNSAMPLED = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][02468ace]$/;

const isUnsampled = (metadata: Metadata): boolean => UNSAMPLED.test(String(metadata.get('traceparent')[0]));

function parentOf(metadata: Metadata): Context {
  return propagation.extract(ROOT_CONTEXT, metadata, {
    get: (carrier, key) => carrier.get(key).map(String),
    keys: carrier => Object.keys(carrier.getMap()),
  });
}

function isMetadata(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && 'getMap' in value && 'set' in value;
}

/**
 * The usual manager of contexts, but for event emitters, whose every listener it would wrap: the kit reads streams in the flow of
 * their handler, where the context is anyway.
 */
export class FlowContextManager extends AsyncLocalStorageContextManager {
  override bind<Target>(bound: Context, target: Target): Target {
    return target instanceof EventEmitter ? target : super.bind(bound, target);
  }
}
