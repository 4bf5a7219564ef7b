import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Result } from '../result.ts';
import { CliError } from './complain.ts';

/** The version of the proof documents: changes when a reader of the one before would misread one. */
const PROOF_VERSION = 1;

/** All results of a proof, as one document. */
export interface Proof {
  readonly schemaVersion: typeof PROOF_VERSION;
  /** Whether every scenario was run and passed all of its checks. */
  readonly passed: boolean;
  /** The scenarios that were not run, as somebody has stopped it. */
  readonly notRun: readonly string[];
  /** By the names of the scenarios. */
  readonly results: readonly Result[];
}

/**
 * Writes results as one document for programs, proof.json, and as one page for readers, proof.html, into a folder that is made when
 * it is not there; resolves to the paths of both. `names` are the scenarios that were to be run.
 *
 * @throws CliError when they cannot be written
 */
export async function writeProof(folder: string, names: readonly string[], results: readonly Result[]): Promise<string[]> {
  // not before it is needed: the plotting library takes longer to load than any other command takes
  const { reportHtml } = await import('../report/report.ts');
  const notRun = names.filter(name => !results.some(({ scenario }) => scenario === name));
  const passed = notRun.length === 0 && results.every(({ passed }) => passed);
  const proof: Proof = { schemaVersion: PROOF_VERSION, passed, notRun, results };
  const texts = { 'proof.json': `${JSON.stringify(proof, null, 2)}\n`, 'proof.html': await reportHtml(results, notRun) };
  const paths: string[] = [];
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(texts)) {
      const path = join(folder, name);
      await writeFile(path, text);
      paths.push(path);
    }
  } catch (error) {
    throw new CliError(`--out: ${folder} cannot be written (${(error as NodeJS.ErrnoException).code}); name another folder`, 1);
  }
  return paths;
}
