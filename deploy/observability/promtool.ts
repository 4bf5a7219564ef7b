import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { toolsDir } from '../local/paths.ts';

/**
 * The path of Prometheus's promtool: from PATH, else from `.tools/`; undefined when neither has it. No package of npm or PyPI
 * carries it; Debian's package `prometheus` does.
 */
export function findPromtool(): string | undefined {
  const onPath = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, 'promtool'));
  const fetched = existsSync(toolsDir) ? readdirSync(toolsDir).filter(name => /^promtool\b/.test(name)) : [];
  return [...onPath, ...fetched.map(name => join(toolsDir, name))].find(path => existsSync(path));
}
