import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repo } from './local/paths.ts';
import { locateTool } from './local/tools.ts';

const execute = promisify(execFile);
let helm: Promise<string> | undefined;

/** The folder of the chart. */
export const chart: string = join(repo, 'charts', 'telltale');

/** Runs helm and returns what it printed. Throws an `Error` with helm's own words when it fails. */
export async function runHelm(...args: string[]): Promise<string> {
  helm ??= locateTool('helm');
  try {
    const { stdout } = await execute(await helm, args, { maxBuffer: 64 * 1024 * 1024, timeout: 60_000 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`helm ${args.slice(0, 1)} failed: ${`${stdout}${stderr}`.trim() || message}`);
  }
}

/** The chart's manifests as text, of the release `telltale` in the namespace `telltale`; `args` are more arguments of `helm template`. */
export function renderText(...args: string[]): Promise<string> {
  return runHelm('template', 'telltale', chart, '--namespace', 'telltale', ...args);
}
