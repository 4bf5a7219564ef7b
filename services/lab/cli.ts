#!/usr/bin/env node
import { CommanderError } from 'commander';
import { connectDirectly } from '../kit/connect-directly.ts';
import { labCommand } from './cli/commands.ts';
import { complain } from './cli/complain.ts';
import { DEFAULT_RUN_DIR } from './cli/local-run.ts';
import { LOCAL_EDGE } from './cli/way-in.ts';

connectDirectly();

// A reader that has seen enough (`telltale results | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`the output cannot be written (${error.code})\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

// The first Ctrl-C stops the run and waits for its clean-up; the second waits for nothing.
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => (interrupted.signal.aborted ? process.exit(130) : interrupted.abort()));
}

const surroundings = { runDir: DEFAULT_RUN_DIR, local: LOCAL_EDGE, namespace: process.env.NAMESPACE };

try {
  process.exitCode = 0;
  await labCommand(interrupted.signal, surroundings).parseAsync();
} catch (error) {
  // commander has printed its message itself
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : complain(error);
}
if (interrupted.signal.aborted) process.exitCode = 130;
