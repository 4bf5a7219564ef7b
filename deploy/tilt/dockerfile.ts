import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { repo } from '../local/paths.ts';

/** What a Dockerfile takes from its context. */
export interface Dockerfile {
  /** The names of its stages. */
  readonly stages: readonly string[];
  /** Where each file or folder of the context goes: its path in the repository, and its absolute path in the image. */
  readonly copies: readonly { readonly from: string; readonly to: string }[];
}

/** Reads a Dockerfile of the repository: FROM … AS, WORKDIR with an absolute path, and COPY from the context. */
export function readDockerfile(path: string): Dockerfile {
  const lines = readFileSync(join(repo, path), 'utf8').replaceAll('\\\n', ' ').split('\n');
  const stages: string[] = [];
  const copies: { from: string; to: string }[] = [];
  let folder = '/';
  for (const [instruction, ...words] of lines.map(line => line.trim().split(/\s+/))) {
    if (instruction === 'FROM' && words.at(-2) === 'AS') stages.push(words.at(-1) ?? '');
    if (instruction === 'WORKDIR') folder = words[0] ?? folder;
    if (instruction !== 'COPY' || words.some(word => word.startsWith('--from='))) continue;
    const paths = words.filter(word => !word.startsWith('--'));
    const target = paths.pop() ?? '';
    for (const from of paths) copies.push({ from, to: destination(folder, from, target) });
  }
  return { stages, copies };
}

/** A target that ends with a slash is a folder; a folder's content is copied, not the folder itself. */
function destination(folder: string, from: string, target: string): string {
  const to = posix.resolve(folder, target);
  const isFile = posix.extname(from) !== '';
  return isFile && target.endsWith('/') ? posix.join(to, posix.basename(from)) : to;
}

/** The paths of the context that a file such as `Dockerfile.dockerignore` lets through: its lines that begin with "!". */
export function readAllowList(path: string): string[] {
  const lines = readFileSync(join(repo, path), 'utf8').split('\n');
  return lines.filter(line => line.startsWith('!')).map(line => line.slice(1));
}
