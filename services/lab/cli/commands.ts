import { Command, InvalidArgumentError, Option } from 'commander';
import { LabServiceService } from '../../../proto/gen/telltale/lab/v1/lab.ts';
import { createClient } from '../../kit/client.ts';
import { deadlineIn } from '../../kit/deadline.ts';
import { readResult } from '../read-result.ts';
import type { Result } from '../result.ts';
import { compareText } from './compare-text.ts';
import { CliError, explain } from './complain.ts';
import { descriptionText, listText } from './description-text.ts';
import { makeProofFolder, proofOf, runAll, writeProof } from './prove.ts';
import { resultsText, resultText } from './result-text.ts';
import { type LabClient, runToEnd } from './run-to-end.ts';
import { findWayIn, LOCAL_EDGE, type Surroundings, type Wanted } from './way-in.ts';

/** Where `prove` writes, beside what else a run of this machine leaves. */
const PROOF_FOLDER = '.run/proof';

const soon = () => ({ deadline: deadlineIn(10_000) });

interface Flags {
  json?: true;
}

/** The command line: `list`, `describe`, `run`, `prove`, `results`, `show`, `compare`. `signal` is Ctrl-C. */
export function labCommand(signal: AbortSignal, surroundings: Surroundings): Command {
  const program = new Command('telltale')
    .description('Runs scenarios: claims about gRPC, each beside a control.')
    .exitOverride();
  const place = `the edge of the mesh whose lab is asked (default: that of make up, else ${LOCAL_EDGE}, else that of a local cluster of kubectl's)`;
  program.option('--address <host:port>', place, asAddress);
  const namespace = new Option('--namespace <name>', "the edge in this namespace of kubectl's cluster, by a port forward");
  program.addOption(namespace.conflicts('address'));
  const command = (usage: string, description: string) =>
    program.command(usage).description(description).option('--json', 'for programs');
  const withLab = async (work: (lab: LabClient) => Promise<void>) => {
    const say = (line: string) => process.stderr.write(`${line}\n`);
    using edge = await findWayIn(program.opts<Wanted>(), say, surroundings);
    using lab = createClient(LabServiceService, { address: edge.address });
    await work(lab).catch(error => {
      throw explain(error, edge.address);
    });
  };

  command('list', 'list the scenarios').action(({ json }: Flags) =>
    withLab(async lab => {
      const { scenarios } = await lab.listScenarios({}, soon());
      print(json ? scenarios : listText(scenarios));
    }),
  );
  command('describe <scenario>', 'say what a scenario asks, does and does not show').action(
    (scenario: string, { json }: Flags) =>
      withLab(async lab => {
        const description = await lab.describeScenario({ scenario }, soon());
        print(json ? description : descriptionText(description));
      }),
  );
  command('run <scenario...>', 'run scenarios, or all; exit code 0 only if all checks pass')
    .option('--set <key=value>', 'a parameter of each scenario; may be repeated', asParameter, {})
    .action((scenarios: string[], { json, set }: Flags & { set: Record<string, string> }) =>
      withLab(async lab => {
        const names = await chosen(lab, scenarios);
        const results = await runEach(lab, names, { set, json: json === true, signal });
        if (json) print(scenarios.length === 1 && scenarios[0] !== 'all' ? results[0] : results);
      }),
    );
  command('prove', 'run all scenarios and write what came of it: proof.json for programs, proof.html for readers')
    .option('--out <folder>', 'where to write', PROOF_FOLDER)
    .option('--times <n>', 'how often each is run, to see whether it always comes out the same', asTimes, 1)
    .action(({ json, out, times }: Flags & { out: string; times: number }) =>
      withLab(async lab => {
        await makeProofFolder(out);
        const outcome = await runAll(await namesOf(lab), times, signal, async (scenario, round) => {
          const result = await runToEnd(lab, { scenario, parameters: {} }, signal, process.stdout.isTTY && !json);
          const line = `${round} of ${times}: ${scenario}: ${result.verdict.kind}`;
          if (!json) print(times === 1 ? resultText(result) : line);
          return result;
        });
        for (const { scenario, because } of outcome.notRun) process.stderr.write(`not run: ${scenario}: ${because}\n`);
        const proof = proofOf(outcome, times);
        const written = await writeProof(out, proof);
        print(json ? { written } : `\nwritten: ${written.join(', ')}`);
        if (!proof.passed) process.exitCode = 1;
      }),
    );
  command('results [scenario]', 'list the results that are kept').action((scenario: string | undefined, { json }: Flags) =>
    withLab(async lab => {
      const { results } = await lab.listResults({ scenario: scenario ?? '' }, soon());
      // nothing is kept of a scenario that there is not
      if (scenario !== undefined && results.length === 0) await lab.describeScenario({ scenario }, soon());
      print(json ? results : resultsText(results));
    }),
  );
  command('show <result>', 'show a result that is kept').action((resultId: string, { json }: Flags) =>
    withLab(async lab => {
      const result = await resultOf(lab, resultId);
      print(json ? result : resultText(result));
    }),
  );
  command('compare <a> <b>', 'compare two results of a scenario').action((a: string, b: string, { json }: Flags) =>
    withLab(async lab => {
      const [one, other] = [await resultOf(lab, a), await resultOf(lab, b)];
      if (one.scenario !== other.scenario) {
        throw new CliError(`${a} is of ${one.scenario}, ${b} of ${other.scenario}: choose two of one scenario`, 2);
      }
      print(json ? [one, other] : compareText(one, other));
    }),
  );
  return program;
}

async function namesOf(lab: LabClient): Promise<string[]> {
  return (await lab.listScenarios({}, soon())).scenarios.map(({ name }) => name);
}

/** The scenarios to run, all of which there are, so that none has run when another's name is wrong. */
async function chosen(lab: LabClient, scenarios: readonly string[]): Promise<readonly string[]> {
  if (!scenarios.includes('all')) {
    for (const scenario of scenarios) await lab.describeScenario({ scenario }, soon());
    return scenarios;
  }
  if (scenarios.length > 1) throw new CliError('all are all scenarios: name no other beside it', 2);
  return namesOf(lab);
}

/** Runs scenarios one after the other, and shows each result unless it is for programs; the exit code is 1 unless all have passed. */
async function runEach(
  lab: LabClient,
  names: readonly string[],
  { set, json, signal }: { set: Record<string, string>; json: boolean; signal: AbortSignal },
): Promise<Result[]> {
  const results: Result[] = [];
  for (const scenario of names) {
    if (signal.aborted) break;
    const result = await runToEnd(lab, { scenario, parameters: set }, signal, process.stdout.isTTY && !json);
    results.push(result);
    if (!json) print(resultText(result));
  }
  if (results.length < names.length || !results.every(({ passed }) => passed)) process.exitCode = 1;
  return results;
}

async function resultOf(lab: LabClient, resultId: string): Promise<Result> {
  const { document } = await lab.getResult({ resultId }, soon());
  try {
    return readResult(document);
  } catch (error) {
    throw new CliError(`${resultId}: ${(error as Error).message}`, 1);
  }
}

/** Prints a text, or anything else as JSON; 64-bit numbers as JSON has them. */
function print(what: unknown): void {
  const json = () => JSON.stringify(what, (_, value) => (typeof value === 'bigint' ? Number(value) : value), 2);
  process.stdout.write(`${typeof what === 'string' ? what : json()}\n`);
}

/** What has no `=` has an empty value, so that the lab, which knows the parameters, says all that is wrong at once. */
function asParameter(text: string, others: Record<string, string>): Record<string, string> {
  const [, key = text, value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (!/^[A-Za-z]\w{0,63}$/.test(key)) throw new InvalidArgumentError('write name=value, such as rate=50.');
  return { ...others, [key]: value };
}

function asTimes(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError('write a whole number from 1 to 999.');
}

function asAddress(text: string): string {
  const [, port = 0] = /^[A-Za-z0-9.-]+:(\d{1,5})$/.exec(text) ?? [];
  if (Number(port) >= 1 && Number(port) <= 65_535) return text;
  throw new InvalidArgumentError(`write host:port, such as ${LOCAL_EDGE}.`);
}
