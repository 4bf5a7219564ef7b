import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type CallOptions as GrpcCallOptions,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { CallOptions } from './client.ts';
import type { CallContext } from './context.ts';
import { childDeadline, deadlineIn } from './deadline.ts';
import { detachesCalls } from './experiment.ts';
import { codeOf, fromServiceError, RpcError } from './rpc-error.ts';

/** The messages of a request stream. */
export type Messages<Message> = Iterable<Message> | AsyncIterable<Message>;

/** Who is called. */
export interface Upstream {
  /** The short name of the service. */
  readonly name: string;
  /** Begins to measure a call of the method; told the code that it ends with. */
  observe(): (code: status) => void;
}

/** Metadata and options as grpc-js takes them. */
type Wire = [Metadata, GrpcCallOptions];
type Callback = (error: ServiceError | null, answer?: unknown) => void;
type AnyCall = ClientUnaryCall | ClientReadableStream<unknown>;

/** How long a call may take that a script detached from the one it is made for, in milliseconds. */
const SCRIPTED_DETACHED_MS = 30_000;

/** After how many requests a stream that is always ready lets others run: awaiting alone never leaves the microtask queue. */
const WRITTEN_AT_ONCE = 64;

/** Makes a call with one answer; `requests` are written as fast as the callee takes them. */
export async function awaitAnswer(
  upstream: Upstream,
  options: CallOptions,
  start: (wire: Wire, done: Callback) => ClientUnaryCall | ClientWritableStream<unknown>,
  requests?: Messages<unknown>,
): Promise<unknown> {
  options.context?.signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const call = start(wireOf(options), (error, answer) => {
    ended(error ? codeOf(error.code) : status.OK);
    if (error) reject(fromServiceError(error, upstream.name));
    else resolve(answer);
  });
  const ended = upstream.observe(); // not of a call that could not even be begun
  const stop = watch(call, options);
  if (requests) void write(call as ClientWritableStream<unknown>, requests, stop.signal, reject);
  try {
    return await promise;
  } finally {
    stop.abort();
  }
}

/** Makes a call with many answers. Leaving the loop over them cancels it; they are read no faster than they are asked for. */
export async function* readAnswers(
  upstream: Upstream,
  options: CallOptions,
  start: (wire: Wire) => ClientReadableStream<unknown> | ClientDuplexStream<unknown, unknown>,
  requests?: Messages<unknown>,
): AsyncGenerator<unknown, void> {
  options.context?.signal.throwIfAborted();
  const call = start(wireOf(options));
  const ended = upstream.observe();
  call.once('status', ({ code }) => ended(codeOf(code)));
  let failure: unknown;
  const stop = watch(call, options);
  call.on('error', () => stop.abort()); // also keeps the error of a call that nobody reads any more from being uncaught
  const fail = (error: unknown) => {
    failure = error;
  };
  if (requests) void write(call as ClientDuplexStream<unknown, unknown>, requests, stop.signal, fail);
  try {
    yield* call.iterator({ destroyOnReturn: false });
  } catch (error) {
    throw failure ?? fromServiceError(error as ServiceError, upstream.name);
  } finally {
    stop.abort();
    call.cancel();
  }
}

/** Cancels the call when a signal of its options is aborted; abort what is returned when the call is over. */
function watch(call: AnyCall, options: CallOptions): AbortController {
  const { signal, onMetadata } = options;
  const over = new AbortController();
  for (const source of [parentOf(options)?.signal, signal]) {
    const cancel = () => cancelBecause(call, source?.reason);
    source?.addEventListener('abort', cancel, { once: true, signal: over.signal });
    if (source?.aborted) cancel();
  }
  if (onMetadata) call.once('metadata', onMetadata);
  return over;
}

/** A parent that has expired has told it of its deadline before the call's own timer, which is set to the same moment, has. */
function cancelBecause(call: AnyCall, reason: unknown): void {
  const expired = reason instanceof RpcError && reason.code === status.DEADLINE_EXCEEDED;
  if (expired) call.call?.cancelWithStatus(reason.code, reason.message);
  else call.cancel();
}

/** Writes the requests; when one cannot be had, cancels the call and gives `fail` the reason. Never rejects. */
async function write(
  call: (ClientWritableStream<unknown> | ClientDuplexStream<unknown, unknown>) & Writable,
  requests: Messages<unknown>,
  over: AbortSignal,
  fail: (error: unknown) => void,
): Promise<void> {
  let written = 0;
  try {
    for await (const request of requests) {
      if (over.aborted) return;
      if (!call.write(request)) await once(call, 'drain', { signal: over });
      else if (++written % WRITTEN_AT_ONCE === 0) await setImmediate();
    }
    call.end();
  } catch (error) {
    if (over.aborted) return; // the callee had answered before it read everything
    fail(error);
    call.cancel();
  }
}

function wireOf(options: CallOptions): Wire {
  const { context, deadline } = options;
  const metadata = options.metadata?.clone() ?? new Metadata();
  if (!context) return [metadata, { deadline }];
  metadata.merge(context.experiment.forwarded);
  const parent = parentOf(options);
  if (!parent) return [metadata, { deadline: deadlineIn(SCRIPTED_DETACHED_MS) }];
  return [metadata, { parent: parent.call, deadline: childDeadline(parent.deadline, deadline) }];
}

/** The context whose end ends the call; none when a script detaches the two. */
function parentOf({ context }: CallOptions): CallContext | undefined {
  return context && detachesCalls(context.experiment.steps) ? undefined : context;
}
