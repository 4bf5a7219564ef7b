import { status } from '@grpc/grpc-js';
import type { LabServiceService, ResultSummary, ScenarioSummary } from '../../proto/gen/telltale/lab/v1/lab.ts';
import type { CallContext, Handlers } from '../kit/handler.ts';
import type { Logger } from '../kit/log.ts';
import { RpcError } from '../kit/rpc-error.ts';
import { invalidRequest } from '../kit/validate.ts';
import { shown } from '../kit/validate-shown.ts';
import { type Catalog, findScenario } from './catalog.ts';
import type { Collector } from './collector.ts';
import { parameterOf, parseParameters } from './parameters.ts';
import { readResult } from './read-result.ts';
import { isResultId, type ResultStore } from './result-store.ts';
import { armsOf } from './run.ts';
import type { Runs } from './runs.ts';
import type { AnyScenario } from './scenario.ts';

/** What {@link lab} needs. */
export interface LabDependencies {
  readonly catalog: Catalog;
  readonly runs: Runs;
  readonly results: ResultStore;
  readonly collector: Collector;
  readonly logger: Logger;
}

/** Answers LabService. */
export function lab({ catalog, runs, results, collector, logger }: LabDependencies): Handlers<typeof LabServiceService> {
  return {
    listScenarios: () => ({ scenarios: [...catalog.values()].map(summaryOf) }),

    describeScenario: ({ scenario: name }) => {
      const scenario = findScenario(catalog, name);
      const { question, method, reading, limits } = scenario.describe;
      return {
        summary: summaryOf(scenario),
        question,
        method,
        reading,
        limits: [...limits],
        arms: armsOf(scenario).map(({ name, title }) => ({ name, title, control: isControl(scenario, name) })),
        checks: scenario.checks.map(({ says }) => says),
        parameters: Object.entries(scenario.parameters).map(([name, spec]) => parameterOf(name, spec)),
      };
    },

    async *runScenario({ scenario: name, parameters: texts }, { signal }) {
      const scenario = findScenario(catalog, name);
      const parameters = parseParameters(scenario.parameters, texts, armsOf(scenario).length);
      for await (const event of runs.begin(scenario, parameters, signal)) yield { event };
    },

    stopRun: ({ runId }) => ({ stopping: runs.stop(runId) }),

    async listResults({ scenario }) {
      const summaries = (await results.ids()).map(async id => {
        const text = await results.find(id);
        if (text === undefined) return []; // removed meanwhile
        try {
          return [summaryOfResult(text)];
        } catch (error) {
          logger.warn({ result: id, error }, 'a file among the results is none');
          return [];
        }
      });
      return { results: (await Promise.all(summaries)).flat().filter(each => ['', each.scenario].includes(scenario)) };
    },

    async getResult({ resultId }) {
      if (!isResultId(resultId)) {
        const description = `must be an id that ListResults gives, is ${shown(resultId)}`;
        throw invalidRequest([{ field: 'result_id', description }]);
      }
      const document = await results.find(resultId);
      if (document !== undefined) return { document };
      throw new RpcError(status.NOT_FOUND, 'no result with this id is kept', { reason: 'RESULT_NOT_FOUND' });
    },

    async reportRecords(messages, { metadata }) {
      refuseFromOutside(metadata);
      let received = 0;
      let pod: string | undefined;
      try {
        for await (const message of messages) {
          pod = message.pod;
          received += message.records.length;
          collector.add(message);
        }
      } finally {
        if (pod !== undefined) collector.forget(pod);
      }
      return { receivedCount: BigInt(received) };
    },
  };
}

/** The edge, and no sidecar, says whom it has a call from: evidence does not come from there. */
function refuseFromOutside(metadata: CallContext['metadata']): void {
  if (metadata.get('x-forwarded-for').length === 0) return;
  throw new RpcError(status.PERMISSION_DENIED, 'records come from the services of the mesh', { reason: 'FROM_OUTSIDE' });
}

function summaryOf({ name, claim }: AnyScenario): ScenarioSummary {
  return { name, claim: claim.says, claimedBy: claim.by };
}

function isControl({ controls }: AnyScenario, name: string): boolean {
  return controls.some(control => control.name === name);
}

function summaryOfResult(text: string): ResultSummary {
  const { id, scenario, startedAt, verdict, passed } = readResult(text);
  return { resultId: id, scenario, startedAt, verdict: verdict.kind, passed };
}
