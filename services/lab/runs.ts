import { status } from '@grpc/grpc-js';
import { RpcError } from '../kit/rpc-error.ts';
import { LONGEST_RUN_MS, type LoadParameters, type ParameterSpecs, type Values } from './parameters.ts';
import { type ResultStore, resultId } from './result-store.ts';
import { type RunDependencies, type RunEvent, runScenario } from './run.ts';
import type { AnyScenario } from './scenario.ts';

/** The runs of this lab, one at a time. */
export interface Runs {
  /**
   * Begins a run and returns its events; the last is the result, which is kept. They end, as the run does, when the signal aborts,
   * or when the run has taken too long.
   *
   * @throws RpcError FAILED_PRECONDITION while another run is under way
   */
  begin(
    scenario: AnyScenario,
    parameters: Values<ParameterSpecs & LoadParameters>,
    signal: AbortSignal,
  ): ReadableStream<RunEvent>;
  /** Stops a run; false when it is not under way. */
  stop(id: string): boolean;
  /** Stops what is under way, and resolves when its result is kept. */
  end(): Promise<void>;
}

/** Makes the runs. `longestMs` is {@link LONGEST_RUN_MS} unless given. */
export function createRuns(dependencies: RunDependencies, results: ResultStore, longestMs = LONGEST_RUN_MS): Runs {
  let current: { id: string; stop: AbortController; whole: Promise<void> } | undefined;
  return {
    begin(scenario, parameters, caller) {
      if (current) {
        const says = `${current.id} is under way; wait for its end, or stop it`;
        throw new RpcError(status.FAILED_PRECONDITION, says, { reason: 'RUN_IN_PROGRESS' });
      }
      const stop = new AbortController();
      const id = resultId(scenario.name, new Date(), Math.random());
      const signal = AbortSignal.any([caller, stop.signal, AbortSignal.timeout(longestMs)]);
      const { stream, emit, close, fail } = eventStream();
      const whole = async () => {
        const result = await runScenario(dependencies, { id, scenario, parameters, signal, emit, keep: results.add });
        emit({ $case: 'result', value: { document: JSON.stringify(result) } });
      };
      const ended = () => {
        current = undefined;
      };
      current = { id, stop, whole: whole().finally(ended).then(close, fail) };
      return stream;
    },
    stop(id) {
      if (current?.id !== id) return false;
      current.stop.abort();
      return true;
    },
    async end() {
      current?.stop.abort();
      await current?.whole;
    },
  };
}

/** A stream that is read as events happen; nobody may read it any more, and the run goes on to its end. */
function eventStream() {
  let controller: ReadableStreamDefaultController<RunEvent> | undefined;
  const stream = new ReadableStream<RunEvent>({
    start: its => {
      controller = its;
    },
    cancel: () => {
      controller = undefined;
    },
  });
  return {
    stream,
    emit: (event: RunEvent) => controller?.enqueue(event),
    close: () => controller?.close(),
    fail: (error: unknown) => controller?.error(error),
  };
}
