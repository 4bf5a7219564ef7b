import type { LabServiceService, RunScenarioRequest, RunScenarioResponse } from '../../../proto/gen/telltale/lab/v1/lab.ts';
import type { Client } from '../../kit/client.ts';
import { deadlineIn } from '../../kit/deadline.ts';
import { LONGEST_RUN_MS } from '../parameters.ts';
import { readResult } from '../read-result.ts';
import type { Result } from '../result.ts';
import { CliError } from './complain.ts';
import { showProgress } from './progress.ts';

/** A client of the lab. */
export type LabClient = Client<typeof LabServiceService>;

/** How long a result is waited for, in milliseconds: longer than the lab lets a run go on. */
const RUN_MS = LONGEST_RUN_MS + 60_000;

/**
 * Runs a scenario and resolves to its result; shows the progress if `shown`. When the signal aborts, it tells the lab to stop the run
 * and waits for the incomplete result.
 */
export async function runToEnd(
  lab: LabClient,
  request: RunScenarioRequest,
  signal: AbortSignal,
  shown: boolean,
): Promise<Result> {
  const view = showProgress(request.scenario, shown);
  let result: Result | undefined;
  let runId: string | undefined;
  const stop = () => {
    // a run that cannot be told will see that its caller is gone
    if (runId !== undefined) void lab.stopRun({ runId }, { deadline: deadlineIn(5000) }).catch(() => process.exit(130));
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const { event } of lab.runScenario(request, { deadline: deadlineIn(RUN_MS) })) {
      if (event?.$case === 'started') runId = event.value.runId;
      if (event?.$case === 'started' && signal.aborted) stop();
      if (event?.$case === 'result') result = readResult(event.value.document);
      view.update(lineOf(event));
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await view.end(result === undefined);
  }
  if (!result) throw new CliError('the run ended without a result', 1);
  return result;
}

function lineOf(event: RunScenarioResponse['event']): string {
  if (event?.$case === 'armStarted') return `${event.value.arm}, repetition ${event.value.repetition}`;
  if (event?.$case !== 'progress') return '';
  const { arm, repetition, callsEnded, callsPlanned } = event.value;
  return `${arm}, repetition ${repetition}: ${callsEnded} of ${callsPlanned} calls`;
}
