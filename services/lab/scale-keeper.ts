import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { pause } from '../kit/pause.ts';
import type { Control } from './control.ts';

/** Gives services their number of pods back, also when the lab was killed after it had changed it. */
export interface ScaleKeeper {
  /** As the control that it is made of; what it scales is noted until the service has its number again. */
  readonly control: Control;
  /** Scales back what is noted. Tries again until it can, for ten seconds or until the signal aborts; rejects with why it could not. */
  putBack(signal?: AbortSignal): Promise<void>;
}

/** How long until it is tried again, and for how long it is tried, in milliseconds. */
const AGAIN_MS = 1000;
const LONGEST_MS = 10_000;

/** The number of pods that services had, by service. */
type Notes = Readonly<Record<string, number>>;

/** Keeps the numbers in a file, which is there only as long as some service has another. */
export function keepScale(control: Control, file: string): ScaleKeeper {
  const read = async (): Promise<Notes> => JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Notes;
  const write = async (notes: Notes) => {
    if (Object.keys(notes).length === 0) return rm(file, { force: true });
    await writeFile(`${file}.part`, JSON.stringify(notes));
    await rename(`${file}.part`, file); // the lab may be killed at any moment
  };
  const scale: Control['scale'] = async (service, replicas, signal) => {
    const notes = await read();
    const had = notes[service] ?? (await control.replicas(service, signal));
    await write({ ...notes, [service]: had });
    await control.scale(service, replicas, signal);
    if (replicas !== had) return;
    const { [service]: _, ...others } = await read();
    await write(others);
  };
  const putBackOnce = async (signal: AbortSignal) => {
    for (const [service, had] of Object.entries(await read())) await scale(service, had, signal);
  };
  return {
    control: { ...control, scale },
    async putBack(stop) {
      const limit = AbortSignal.timeout(LONGEST_MS);
      const signal = stop ? AbortSignal.any([stop, limit]) : limit;
      for (;;) {
        const failure = await putBackOnce(signal).then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
        if (!failure) return;
        await pause(AGAIN_MS, signal).catch(() => {
          throw failure.error;
        });
      }
    },
  };
}
