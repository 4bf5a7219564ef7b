import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Result } from './result.ts';

/** Result documents, one file each. */
export interface ResultStore {
  /** Keeps a result, and no more than the limit: the oldest go. */
  add(result: Result): Promise<void>;
  /** The ids of all that are kept, the newest first. */
  ids(): Promise<string[]>;
  /** The text of one; undefined when it is not kept, or when this can be no id. */
  find(id: string): Promise<string | undefined>;
}

/** How many results are kept. */
const LIMIT = 200;

/** "<scenario>-<date>-<time>-<random>"; nothing that leads out of a folder. */
const ID = /^([a-z0-9-]{1,64})-(\d{8}-\d{6}-[0-9a-f]{4})$/;

/** Whether a text can be the id of a result. */
export const isResultId = (id: string): boolean => ID.test(id);

/** Makes the id of a result: the scenario, the time, and four digits that tell two of the same second apart. */
export function resultId(scenario: string, at: Date, random: number): string {
  const time = at.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const digits = Math.floor(random * 0x10000)
    .toString(16)
    .padStart(4, '0');
  return `${scenario}-${time}-${digits}`;
}

/** Keeps results in a folder, which is made when it is not there. */
export async function openResultStore(folder: string, limit = LIMIT): Promise<ResultStore> {
  await mkdir(folder, { recursive: true });
  const ids = async () => {
    const files = await readdir(folder);
    const found = files.flatMap(file => (file.endsWith('.json') && isResultId(file.slice(0, -5)) ? [file.slice(0, -5)] : []));
    return found.sort((a, b) => timeOf(b).localeCompare(timeOf(a)));
  };
  return {
    ids,
    async add(result) {
      const file = join(folder, `${result.id}.json`);
      await writeFile(`${file}.part`, `${JSON.stringify(result, null, 2)}\n`);
      await rename(`${file}.part`, file); // a reader never sees half of one
      for (const old of (await ids()).slice(limit)) await rm(join(folder, `${old}.json`), { force: true });
    },
    find: async id => (isResultId(id) ? await readFile(join(folder, `${id}.json`), 'utf8').catch(() => undefined) : undefined),
  };
}

const timeOf = (id: string) => ID.exec(id)?.[2] ?? '';
