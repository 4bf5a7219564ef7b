import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { type KubeObject, namespace } from './manifest.ts';
import { repo } from './paths.ts';
import { messageOf, RunError } from './run-error.ts';

const run = promisify(execFile);

export interface RenderOptions {
  /** The helm program. */
  helm: string;
  /** The chart's folder; the repository's chart with `deploy/local/values.yaml` when absent. */
  chart?: string | undefined;
  /** More arguments for helm: `--set key=value`, `-f file`. */
  values?: readonly string[] | undefined;
  /** Where helm may keep its own files. */
  home: string;
  signal?: AbortSignal | undefined;
}

/**
 * The Kubernetes objects that the chart is made into, as `helm template telltale charts/telltale --namespace telltale` prints them.
 * Throws a `RunError` with helm's own words when the chart or a value is wrong. Test hooks (`helm test`) are left out.
 */
export async function renderChart({ helm, chart, values = [], home, signal }: RenderOptions): Promise<KubeObject[]> {
  const source = chart ?? join(repo, 'charts', 'telltale');
  const own = chart === undefined ? ['-f', join(repo, 'deploy', 'local', 'values.yaml')] : [];
  const args = ['template', 'telltale', source, '--namespace', namespace, '--skip-tests', ...own, ...values];
  const env = { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  const options = { env, maxBuffer: 64 * 1024 * 1024, timeout: 60_000, ...(signal && { signal }) };
  const { stdout } = await run(helm, args, options).catch((error: unknown) => {
    signal?.throwIfAborted();
    const words = (error as { stderr?: string }).stderr?.trim() || messageOf(error);
    throw new RunError(`helm cannot render the chart ${source}:\n${words}`);
  });
  return parseObjects(stdout);
}

/** The objects of a YAML stream; empty documents are left out. Throws a `RunError` that names the line of a mistake. */
export function parseObjects(text: string): KubeObject[] {
  const documents = parseAllDocuments(text);
  if ('empty' in documents) return [];
  return documents.flatMap(document => {
    const [error] = document.errors;
    if (error !== undefined) throw new RunError(`the rendered chart is not YAML: ${error.message}`);
    const object: unknown = document.toJS();
    if (object === null) return [];
    if (!isKubeObject(object))
      throw new RunError(`the rendered chart holds something that is no Kubernetes object: ${document}`);
    return [object];
  });
}

function isKubeObject(value: unknown): value is KubeObject {
  const object = value as Partial<KubeObject> | null;
  return typeof object === 'object' && typeof object?.kind === 'string' && typeof object.metadata?.name === 'string';
}
