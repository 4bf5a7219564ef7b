import { connectDirectly } from '../../services/kit/connect-directly.ts';
import { runCli } from './cli.ts';

connectDirectly();

// A reader that has seen enough (`make logs | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`the output cannot be written (${error.code})\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

// Not `once`: what restores the terminal's cursor would take an absent listener for leave to end this process at once.
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => (interrupted.signal.aborted && signal === 'SIGINT' ? process.exit(130) : interrupted.abort()));
}

process.exitCode = await runCli(process.argv.slice(2), interrupted.signal);
