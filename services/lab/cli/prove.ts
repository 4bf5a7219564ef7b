import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { byScenario, type Repeats, repeatsOf } from '../report/repeats.ts';
import type { Result } from '../result.ts';
import { CliError } from './complain.ts';

/** The version of the proof documents: changes when a reader of the one before would misread one. */
const PROOF_VERSION = 2;

/** A run that has given no result. */
export interface NotRun {
  readonly scenario: string;
  readonly because: string;
}

/** All results of a proof, as one document. */
export interface Proof {
  readonly schemaVersion: typeof PROOF_VERSION;
  /** Whether every scenario was run as often as it was to be, and passed all of its checks each time. */
  readonly passed: boolean;
  /** How often each scenario was to be run. */
  readonly times: number;
  /** The runs that are missing. */
  readonly notRun: readonly NotRun[];
  /** How far the runs of each scenario differ. */
  readonly repeats: readonly Repeats[];
  /** In the order in which they were made. */
  readonly results: readonly Result[];
}

/** What came of some runs. */
export type Outcome = Pick<Proof, 'results' | 'notRun'>;

/**
 * Runs every scenario so many times, all of them in each round. One that cannot be run keeps none of the others from it; when the
 * signal aborts, what is left is not run.
 *
 * @param run runs one scenario once; is told which round it is, from 1
 */
export async function runAll(
  names: readonly string[],
  times: number,
  signal: AbortSignal,
  run: (scenario: string, round: number) => Promise<Result>,
): Promise<Outcome> {
  const results: Result[] = [];
  const notRun: NotRun[] = [];
  for (let round = 1; round <= times; round++) {
    for (const scenario of names) {
      if (signal.aborted) notRun.push({ scenario, because: 'it was stopped before' });
      else {
        await run(scenario, round).then(
          result => results.push(result),
          (error: Error) => notRun.push({ scenario, because: error.message }),
        );
      }
    }
  }
  return { results, notRun };
}

/** All that a proof says. */
export function proofOf({ results, notRun }: Outcome, times: number): Proof {
  const passed = notRun.length === 0 && results.every(({ passed }) => passed);
  const repeats = [...byScenario(results).values()].map(repeatsOf);
  return { schemaVersion: PROOF_VERSION, passed, times, notRun, repeats, results };
}

/**
 * Makes the folder that a proof will be written to, unless it is there.
 *
 * @throws CliError when nothing can be written there: better told before all scenarios are run than after
 */
export async function makeProofFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/**
 * Writes a proof as one document for programs, proof.json, and as one page for readers, proof.html, into a folder that is there;
 * resolves to the paths of both.
 *
 * @throws CliError when they cannot be written
 */
export async function writeProof(folder: string, proof: Proof): Promise<string[]> {
  // not before it is needed: the plotting library takes longer to load than any other command takes
  const { reportHtml } = await import('../report/report.ts');
  const page = await reportHtml(proof.results, proof.notRun);
  const texts = { 'proof.json': `${JSON.stringify(proof, null, 2)}\n`, 'proof.html': page };
  const paths: string[] = [];
  try {
    for (const [name, text] of Object.entries(texts)) {
      const path = join(folder, name);
      await writeFile(path, text);
      paths.push(path);
    }
  } catch (error) {
    throw unwritable(folder, error);
  }
  return paths;
}

function unwritable(folder: string, error: unknown): CliError {
  return new CliError(`--out: ${folder} cannot be written (${(error as NodeJS.ErrnoException).code}); name another folder`, 1);
}
