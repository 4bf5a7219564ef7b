// What the Makefile's verbs ask before and around the commands that they run:
//   main.ts need PROGRAM...   all of these are there, and when kubectl is one, it points at a cluster that may be changed
//   main.ts room              a cluster of deploy/kind.yaml has room on this machine
//   main.ts load IMAGE        brings an image of Docker's to the nodes of that cluster, and prints the tag that it has there

import { refusal } from '../../services/lab/cli/local-cluster.ts';
import { messageOf, RunError, UsageError } from '../local/run-error.ts';
import { loadImage } from './load-image.ts';
import { currentCluster, isProgramName, requireProgram } from './programs.ts';
import { roomProblems } from './room.ts';

async function need(names: string[]): Promise<void> {
  for (const name of names) {
    if (!isProgramName(name)) throw new UsageError(`no such program: ${name}`);
    await requireProgram(name);
  }
  if (!names.includes('kubectl')) return;
  const refused = refusal(await currentCluster(), process.env.CLUSTER);
  if (refused !== undefined) throw new RunError(refused);
}

async function room(): Promise<void> {
  const problems = await roomProblems();
  if (problems.length > 0) throw new RunError(problems.join('\n'));
}

const usage = 'usage: main.ts need PROGRAM... | room | load IMAGE';

try {
  const [verb, image, ...rest] = process.argv.slice(2);
  if (verb === 'room' && image === undefined) await room();
  else if (image === undefined || (verb !== 'need' && rest.length > 0)) throw new UsageError(usage);
  else if (verb === 'need') await need([image, ...rest]);
  else if (verb === 'load') process.stdout.write(`${await loadImage(image, await currentCluster())}\n`);
  else throw new UsageError(usage);
} catch (error) {
  if (!(error instanceof RunError)) throw error;
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
