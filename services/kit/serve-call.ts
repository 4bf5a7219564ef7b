import { status } from '@grpc/grpc-js';
import { endOf } from './cancellation.ts';
import type { CallContext, ServerCall } from './context.ts';
import { hasExpired, remainingMs } from './deadline.ts';
import { NO_EXPERIMENT, performSteps, readExperiment, skipsDrainWait } from './experiment.ts';
import { LazyAbort } from './lazy-abort.ts';
import type { Logger } from './log.ts';
import type { MethodName } from './method.ts';
import { type EndedBy, observeServerCall } from './observe-call.ts';
import { preciseNow, type RecordSink } from './record.ts';
import { drained, RpcError, toRpcError } from './rpc-error.ts';
import { ServedContext } from './served-context.ts';

/** What every call of a server is served with. */
export interface Serving {
  readonly pod: string;
  readonly logger: Logger;
  readonly record: RecordSink;
  /** Whether the experiments that requests carry are honoured. */
  readonly experiments: boolean;
  /** Whether calls without a deadline are refused with FAILED_PRECONDITION. */
  readonly requireDeadline: boolean;
  /** The methods that were called without a deadline, each of which the log is told of once. */
  readonly withoutDeadline: Set<string>;
  /** Aborted when the server stops and open streams must end: with a status, so that their callers open them elsewhere. */
  readonly draining: AbortSignal;
  /** The calls under way by whose experiment the server would stop without its wait. */
  readonly skippingWait: Set<ServerCall>;
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
export async function serveCall(call: ServerCall, name: MethodName, serving: Serving, answering: Answering): Promise<void> {
  const arrivedAt = preciseNow();
  const deadline = Number(call.getDeadline());
  const budgetMs = Number.isFinite(deadline) ? remainingMs(deadline) : null;
  const controller = new LazyAbort();
  let experiment = NO_EXPERIMENT;
  const attempt = Number(call.metadata.get('x-envoy-attempt-count')[0] ?? 1);
  const method = name.full;
  const observation = observeServerCall({ method, budgetMs, attempt });
  let end: End | undefined;

  const endWith = (code: status, by: EndedBy, send: () => void, error?: RpcError) => {
    if (end) return;
    end = { code, by, at: preciseNow(), error };
    observation.end(code, by);
    try {
      send();
    } catch (error) {
      serving.logger.error({ method, error }, 'answer could not be sent'); // its caller waits; nobody else is harmed
    }
  };
  const endWithout = (reason: () => RpcError, by: EndedBy) => {
    if (end) return controller.abort(reason); // what it has begun ends with it
    const error = reason();
    endWith(error.code, by, () => answering.fail(error), error);
    controller.abort(() => error);
  };
  const onEnd = () => (hasExpired(deadline) ? endWithout(expired, 'deadline') : endWithout(cancelled, 'caller'));
  const onDrain = () => endWithout(drained, 'drain');

  try {
    const callEnd = endOf(call.metadata);
    callEnd.listen(onEnd);
    if (answering.streaming) serving.draining.addEventListener('abort', onDrain, { once: true });
    const refuseEnded = () => {
      if (callEnd.ended || remainingMs(deadline) === 0) onEnd();
      controller.throwIfAborted();
    };
    refuseEnded();
    if (serving.experiments) experiment = readExperiment(call.metadata, name.short, name.method);
    if (budgetMs === null) noticeNoDeadline(method, serving);
    if (experiment.steps.length > 0) {
      if (skipsDrainWait(experiment.steps)) serving.skippingWait.add(call);
      await performSteps(experiment.steps, controller.signal);
      refuseEnded(); // a busy event loop has not heard of it yet
    }
    const answer = await answering.work(new ServedContext(call, name, deadline, controller, experiment));
    endWith(status.OK, 'handler', answer);
  } catch (thrown) {
    const error = toRpcError(thrown);
    endWith(error.code, 'handler', () => answering.fail(error), error);
  }

  observation.stop();
  serving.draining.removeEventListener('abort', onDrain);
  serving.skippingWait.delete(call);
  if (!end) return;
  if (end.error) logFailure(serving.logger, { method, budgetMs, attempt, ms: end.at - arrivedAt }, end, end.error);
  if (experiment.run === undefined) return;
  serving.record({
    run: experiment.run,
    method,
    pod: serving.pod,
    peer: call.getPeer(),
    attempt,
    arrivedAt,
    budgetMs: budgetMs ?? undefined,
    status: status[end.code] ?? String(end.code),
    endedAt: end.at,
    stoppedAt: preciseNow(),
  });
}

/** How a call ended. */
interface End {
  readonly code: status;
  readonly by: EndedBy;
  readonly at: number;
  readonly error: RpcError | undefined;
}

/** One line for each call that failed; what nobody has foreseen is an error of ours, with everything that is known of it. */
function logFailure(logger: Logger, call: object, { code, by }: End, { reason, message, cause }: RpcError): void {
  const line = { ...call, status: status[code], endedBy: by, reason };
  if (code === status.INTERNAL) logger.error({ ...line, error: cause }, 'call failed');
  else logger.info({ ...line, says: message }, 'call failed');
}

function expired(): RpcError {
  return new RpcError(status.DEADLINE_EXCEEDED, 'the deadline has passed', { reason: 'DEADLINE_EXCEEDED' });
}

function cancelled(): RpcError {
  return new RpcError(status.CANCELLED, 'the caller cancelled the call', { reason: 'CANCELLED' });
}

/** Such a call may run for ever, and what it calls with it. The metric counts them all; a line for each would flood the log. */
function noticeNoDeadline(method: string, { requireDeadline, withoutDeadline, logger }: Serving): void {
  if (requireDeadline) throw noDeadline();
  if (withoutDeadline.has(method)) return;
  withoutDeadline.add(method);
  logger.warn({ method }, 'called without a deadline; further such calls are only counted');
}

function noDeadline(): RpcError {
  return new RpcError(status.FAILED_PRECONDITION, 'the call has no deadline; set one', { reason: 'NO_DEADLINE' });
}
