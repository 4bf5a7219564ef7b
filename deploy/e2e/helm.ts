import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repo } from '../local/paths.ts';
import { kubectl, kubectlJson, NAMESPACE, settled } from './kubectl.ts';

const run = promisify(execFile);
const RELEASE = 'telltale';

/** The release's revision; undefined where what runs was not installed by Helm. Throws what Helm said otherwise. */
export async function revision(): Promise<number | undefined> {
  const releases = JSON.parse(await helm('list', '--filter', `^${RELEASE}$`, '--output', 'json')) as { revision: string }[];
  return releases[0] && Number(releases[0].revision);
}

/**
 * Upgrades the release to the chart of this folder with these values ("drain.waitMs": "0") beside those that it has, and waits
 * until it has settled. Throws what Helm said when it has not within five minutes.
 */
export async function upgrade(values: Record<string, string>): Promise<void> {
  const set = Object.entries(values).flatMap(([path, value]) => ['--set', `${path}=${value}`]);
  const chart = join(repo, 'charts', 'telltale');
  await helm('upgrade', RELEASE, chart, '--reuse-values', ...set, '--wait', '--timeout', '5m', ...(await force()));
  await settled();
}

/** Takes the release back to a revision, and waits as {@link upgrade} does. */
export async function rollback(to: number): Promise<void> {
  await helm('rollback', RELEASE, String(to), '--wait', '--timeout', '5m', ...(await force()));
  await settled();
}

/**
 * Changes the number of pods of Deployments, waits until all has settled, and returns the numbers that they had. By Helm where Helm
 * has installed them: its next upgrade would refuse a number that somebody else has changed.
 */
export async function scale(replicas: Record<string, number>): Promise<Record<string, number>> {
  const numbers = Object.entries(replicas);
  const had = await Promise.all(
    numbers.map(async ([name]) => {
      const { spec } = await kubectlJson<{ spec: { replicas: number } }>('get', 'deployment', name);
      return [name, spec.replicas] as const;
    }),
  );
  if ((await revision()) === undefined) {
    for (const [name, count] of numbers) await kubectl(['scale', `deployment/${name}`, `--replicas=${count}`]);
    for (const [name] of numbers) await kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=180s']);
    await settled();
  } else {
    const path = (name: string) => (name === 'edge' ? 'edge.replicas' : `services.${name}.replicas`);
    await upgrade(Object.fromEntries(numbers.map(([name, count]) => [path(name), String(count)])));
  }
  return Object.fromEntries(had);
}

/** A scenario of the lab scales as well, by the API; without this Helm 4 would refuse a number that somebody else has set. */
async function force(): Promise<string[]> {
  return (await helm('upgrade', '--help')).includes('--force-conflicts') ? ['--force-conflicts'] : [];
}

async function helm(...args: string[]): Promise<string> {
  return (await run('helm', ['--namespace', NAMESPACE, ...args])).stdout;
}
