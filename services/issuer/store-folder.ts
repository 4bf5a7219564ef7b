import { mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConflictError, type FileChanges, type Files, type Store } from './store.ts';

/**
 * Keeps Secrets as folders below `root`, each laid out like the volume that the kubelet makes of a Secret: `tls.crt` is a link to
 * `..data/tls.crt`, and `..data` one to the folder with the files of now, which is replaced by a rename. Files have mode 0600,
 * folders 0700. A folder that is not there is an empty Secret.
 *
 * The folders of files are numbered. One comes to be by a rename, complete, and only if its number is free: that is the write, and
 * by it two issuers exclude each other without a lock that a killed one would leave behind. The links follow, and whoever reads
 * puts them right if they have not.
 */
export function folderStore(root: string): Store {
  return {
    async read(secret) {
      const folder = join(root, secret);
      for (;;) {
        const version = await latest(folder);
        if (version === 0) return { files: {}, version: '0' };
        const files = await readFiles(join(folder, numbered(version)));
        if (!files) continue; // two writes later already
        await publish(folder);
        return { files, version: String(version) };
      }
    },
    async write(secret, changes, version) {
      const folder = join(root, secret);
      const base = Number(version);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const files = base === 0 ? {} : await readFiles(join(folder, numbered(base)));
      if (!files) throw new ConflictError(secret);
      const fresh = await mkdtemp(join(folder, UNFINISHED)); // with mode 0700
      try {
        await writeFiles(fresh, { ...files, ...changes });
        await rename(fresh, join(folder, numbered(base + 1)));
      } catch (error) {
        await rm(fresh, { recursive: true, force: true });
        throw isTaken(error) ? new ConflictError(secret) : error;
      }
      // A number can be free again because who had it is long gone.
      if ((await latest(folder)) !== base + 1) throw new ConflictError(secret);
      await publish(folder);
    },
  };
}

/** How the names of folders begin that somebody is making. */
const UNFINISHED = '..new-';

/** After how many milliseconds whoever made one is taken for dead. */
const LEFT_MS = 60_000;

const numbered = (version: number) => `..${version}`;

/** The number of the newest files; 0 when there are none. */
async function latest(folder: string): Promise<number> {
  return Math.max(0, ...(await versionsIn(folder)));
}

async function versionsIn(folder: string): Promise<number[]> {
  const names = (await unlessGone(readdir(folder))) ?? [];
  return names.flatMap(name => (/^\.\.\d+$/.test(name) ? Number(name.slice(2)) : []));
}

/** Has the links lead to the newest files, and removes those that nobody can be reading any more. */
async function publish(folder: string): Promise<void> {
  let version = await latest(folder);
  for (;;) {
    if ((await readlink(join(folder, '..data')).catch(() => undefined)) !== numbered(version)) {
      await link(folder, '..data', numbered(version));
    }
    const newest = await latest(folder);
    if (newest === version) break;
    version = newest; // somebody was faster, and may have had their link replaced by ours
  }
  const files = await readFiles(join(folder, numbered(version)));
  if (!files) return; // somebody else does the rest
  const names = Object.keys(files);
  const visible = (await readdir(folder)).filter(name => !name.startsWith('..'));
  for (const name of names.filter(each => !visible.includes(each))) await link(folder, name, join('..data', name));
  for (const name of visible.filter(each => !names.includes(each))) await rm(join(folder, name), { force: true });
  for (const old of (await versionsIn(folder)).filter(each => each < version - 1))
    await rm(join(folder, numbered(old)), { recursive: true, force: true });
  for (const left of await leftovers(folder)) await rm(join(folder, left), { recursive: true, force: true });
}

/** What issuers that were killed have left behind. */
async function leftovers(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter(name => name.startsWith(UNFINISHED));
  const ages = names.map(async name => Date.now() - ((await unlessGone(stat(join(folder, name))))?.mtimeMs ?? Date.now()));
  const known = await Promise.all(ages);
  return names.filter((_, index) => (known[index] ?? 0) > LEFT_MS);
}

/** Makes a link, or replaces it in one step. */
async function link(folder: string, name: string, target: string): Promise<void> {
  const fresh = await mkdtemp(join(folder, UNFINISHED));
  await symlink(target, join(fresh, 'link'));
  await rename(join(fresh, 'link'), join(folder, name));
  await rm(fresh, { recursive: true });
}

/** The files of a folder; `undefined` when it is gone, or on its way. */
async function readFiles(folder: string): Promise<Files | undefined> {
  return unlessGone(
    (async () => {
      const names = await readdir(folder);
      return Object.fromEntries(await Promise.all(names.map(async name => [name, await readFile(join(folder, name), 'utf8')])));
    })(),
  );
}

async function writeFiles(folder: string, files: FileChanges): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    if (text !== undefined) await writeFile(join(folder, name), text, { mode: 0o600, flush: true });
  }
}

async function unlessGone<Result>(promise: Promise<Result>): Promise<Result | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const isTaken = (error: unknown) => ['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '');

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : undefined);
