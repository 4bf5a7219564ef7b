import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { defaultRunDir, toolsDir } from './paths.ts';
import { processIdentity } from './process-identity.ts';

/** Where tools are made before they move to `.tools/`: the same file system, so that the move is one rename. */
const workshop = join(defaultRunDir, 'fetch');

/**
 * The file or folder `name` in `.tools/`, made by `make` when it is not there yet. `make` gets an empty folder to work in and returns
 * the path of what it made. Whatever interrupts it, `.tools/` holds finished tools only; two processes may do this at once.
 */
export async function finishedTool(name: string, make: (folder: string) => Promise<string>, dir = toolsDir): Promise<string> {
  const finished = join(dir, name);
  if (existsSync(finished)) return finished;
  sweepWorkshop();
  mkdirSync(workshop, { recursive: true, mode: 0o700 });
  chmodSync(defaultRunDir, 0o700);
  const folder = mkdtempSync(join(workshop, `${process.pid}-`));
  try {
    const made = await make(folder);
    mkdirSync(dir, { recursive: true });
    try {
      renameSync(made, finished);
    } catch (error) {
      if (!existsSync(finished)) throw error; // else another process was faster
    }
    return finished;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes what processes that were killed have left. */
function sweepWorkshop(): void {
  if (!existsSync(workshop)) return;
  for (const name of readdirSync(workshop)) {
    if (processIdentity(Number.parseInt(name, 10)) === undefined)
      rmSync(join(workshop, name), { recursive: true, force: true });
  }
}
