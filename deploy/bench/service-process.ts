import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { repo } from '../local/paths.ts';

/** A service of this mesh, alone in its process, without a sidecar. */
export interface ServiceProcess extends AsyncDisposable {
  readonly pid: number;
  /** "127.0.0.1:port" of its calls, and of its metrics. */
  readonly address: string;
  readonly metrics: string;
}

/** How long it may take until it serves, in milliseconds. */
const START_MS = 60_000;

/** Starts services/<name>/main.ts on free ports, with these variables besides, which may name the folder of its log. */
export async function startService(
  name: string,
  variables: (folder: string) => Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const folder = await mkdtemp(join(tmpdir(), `telltale-bench-${name}-`));
  const log = await open(join(folder, 'log'), 'w+');
  const listens = Object.fromEntries(['', 'HEALTH_', 'METRICS_'].map(what => [`TELLTALE_${what}LISTEN`, '127.0.0.1:0']));
  const args = ['--disable-proto=delete', '--import', './services/kit/telemetry.ts', `services/${name}/main.ts`];
  const env = { PATH: process.env.PATH, TELLTALE_EXPERIMENTS: 'true', ...listens, ...variables(folder) };
  const child = spawn(process.execPath, args, { cwd: repo, env, stdio: ['ignore', log.fd, 'inherit'] });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    await log.close();
    await rm(folder, { recursive: true });
  };
  const giveUp = performance.now() + START_MS;
  for (;;) {
    const lines = (await readFile(join(folder, 'log'), 'utf8')).split('\n');
    const line = lines.find(each => each.includes('"msg":"serving"'));
    if (line !== undefined) {
      const { port, metricsPort } = JSON.parse(line) as { port: number; metricsPort: number };
      const [address, metrics] = [`127.0.0.1:${port}`, `127.0.0.1:${metricsPort}`];
      return { pid: child.pid ?? 0, address, metrics, [Symbol.asyncDispose]: stop };
    }
    if (child.exitCode !== null || performance.now() > giveUp) {
      await stop();
      throw new Error(`${name} does not serve: ${lines.slice(-3).join('\n')}`);
    }
    await wait(100);
  }
}
