import { setMaxListeners } from 'node:events';
import { status } from '@grpc/grpc-js';
import { endOf } from './cancellation.ts';
import type { CallContext, ServerCall } from './context.ts';
import { type Deadline, hasExpired, remainingMs } from './deadline.ts';
import { type Experiment, NO_EXPERIMENT, performSteps, readExperiment } from './experiment.ts';
import type { Logger } from './log.ts';
import { methodName } from './method.ts';
import { preciseNow, type RecordSink } from './record.ts';
import { RpcError, toRpcError } from './rpc-error.ts';

/** What every call of a server is served with. */
export interface Serving {
  readonly pod: string;
  readonly logger: Logger;
  readonly record: RecordSink;
  /** Whether the experiments that requests carry are honoured. */
  readonly experiments: boolean;
  /** Whether calls without a deadline are refused with FAILED_PRECONDITION. */
  readonly requireDeadline: boolean;
  /** Aborted when the server stops and open streams must end: with a status, so that their callers open them elsewhere. */
  readonly draining: AbortSignal;
}

/** How the calls of one method are answered. */
export interface Answering {
  /** Whether either side of the call is a stream. */
  readonly streaming: boolean;
  /** Runs the handler; resolves to what sends its answer. */
  work(context: CallContext): Promise<() => void>;
  /** Sends an error. */
  fail(error: RpcError): void;
}

/**
 * Serves one call from its arrival until its handler has stopped. Never rejects.
 *
 * The first of these ends the call, and nothing after it reaches the caller: the handler's answer, what the handler threw,
 * the caller's cancellation, the deadline. On the last two `fail` is called as well: grpc-js drops what it gets then, but
 * whoever watches the call (instrumentation, metrics) sees its true status.
 */
export async function serveCall(call: ServerCall, path: string, serving: Serving, answering: Answering): Promise<void> {
  const arrivedAt = preciseNow();
  const deadline = Number(call.getDeadline());
  const budgetMs = Number.isFinite(deadline) ? remainingMs(deadline) : null;
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // a handler may wait for many things at the same time
  let experiment = NO_EXPERIMENT;
  let end: { code: status; at: number } | undefined;

  const endWith = (code: status, send: () => void) => {
    if (end) return;
    end = { code, at: preciseNow() };
    try {
      send();
    } catch (error) {
      serving.logger.error({ method: path.slice(1), error }, 'answer could not be sent'); // its caller waits; nobody else is harmed
    }
  };
  const endWithout = (error: RpcError) => {
    endWith(error.code, () => answering.fail(error));
    controller.abort(error);
  };
  const onDrain = () => endWithout(drained());

  try {
    const callEnd = endOf(call.metadata);
    callEnd.addEventListener('abort', () => endWithout(endError(deadline)), { once: true });
    if (answering.streaming) serving.draining.addEventListener('abort', onDrain, { once: true });
    const refuseEnded = () => {
      if (callEnd.aborted || remainingMs(deadline) === 0) endWithout(endError(deadline));
      controller.signal.throwIfAborted();
    };
    refuseEnded();
    const names = methodName(path);
    if (serving.experiments) experiment = readExperiment(call.metadata, names.short, names.method);
    if (budgetMs === null && serving.requireDeadline) throw noDeadline();
    await performSteps(experiment.steps, controller.signal);
    refuseEnded(); // a busy event loop has not heard of it yet
    const answer = await answering.work(contextOf(call, path, deadline, controller.signal, experiment));
    endWith(status.OK, answer);
  } catch (thrown) {
    const error = toRpcError(thrown);
    if (!end && error.code === status.INTERNAL)
      serving.logger.error({ method: path.slice(1), error: thrown }, 'handler failed');
    endWith(error.code, () => answering.fail(error));
  }

  serving.draining.removeEventListener('abort', onDrain);

  if (experiment.run === undefined || !end) return;
  serving.record({
    run: experiment.run,
    method: path.slice(1),
    pod: serving.pod,
    peer: call.getPeer(),
    attempt: Number(call.metadata.get('x-envoy-attempt-count')[0] ?? 1),
    arrivedAt,
    budgetMs,
    status: status[end.code] ?? String(end.code),
    endedAt: end.at,
    stoppedAt: preciseNow(),
  });
}

function contextOf(
  call: ServerCall,
  path: string,
  deadline: Deadline,
  signal: AbortSignal,
  experiment: Experiment,
): CallContext {
  const { short, method } = methodName(path);
  return {
    service: short,
    method,
    signal,
    deadline,
    remainingMs: () => remainingMs(deadline),
    metadata: call.metadata,
    peer: call.getPeer(),
    experiment,
    call,
  };
}

/** Why a call ended without an answer. */
function endError(deadline: Deadline): RpcError {
  if (hasExpired(deadline))
    return new RpcError(status.DEADLINE_EXCEEDED, 'the deadline has passed', { reason: 'DEADLINE_EXCEEDED' });
  return new RpcError(status.CANCELLED, 'the caller cancelled the call', { reason: 'CANCELLED' });
}

function drained(): RpcError {
  const options = { reason: 'DRAINING', retryAfterMs: 0 };
  return new RpcError(status.UNAVAILABLE, 'the server is stopping; open the stream again', options);
}

function noDeadline(): RpcError {
  return new RpcError(status.FAILED_PRECONDITION, 'the call has no deadline; set one', { reason: 'NO_DEADLINE' });
}
