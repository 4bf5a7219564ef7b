import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validRange } from 'semver';
import { parse } from 'yaml';

/** Which versions of a package or program may be used, and why no others. */
export interface Floor {
  /** A range of npm's semver. */
  readonly range: string;
  /** What was repaired, by the names of the advisories. */
  readonly advisories: readonly string[];
  /** What happens below the range; one sentence. */
  readonly effect: string;
}

/** What floors.yaml says. */
export interface Floors {
  /** By the name of the package, or of the programs `node` and `envoy`. */
  readonly floors: ReadonlyMap<string, Floor>;
  /** The packages that may have installation scripts, with the reason why each works without. */
  readonly installScripts: ReadonlyMap<string, string>;
  /** The packages of package.json that may be below their floors, with the reason; only for development. */
  readonly exceptions: ReadonlyMap<string, string>;
}

/** Reads floors.yaml. Throws an `Error` that names every mistake, a line each. */
export function readFloors(text = readFileSync(join(import.meta.dirname, 'floors.yaml'), 'utf8')): Floors {
  const { floors, installScripts, exceptions } = parse(text) as Record<keyof Floors, object | undefined>;
  const read = {
    floors: new Map<string, Floor>(Object.entries(floors ?? {})),
    installScripts: new Map<string, string>(Object.entries(installScripts ?? {})),
    exceptions: new Map<string, string>(Object.entries(exceptions ?? {})),
  };
  const mistakes = [
    ...(read.floors.size === 0 ? ['floors: is empty'] : []),
    ...[...read.floors].flatMap(([name, floor]) => mistakesOf(floor).map(mistake => `floors.${name}: ${mistake}`)),
    ...(['installScripts', 'exceptions'] as const).flatMap(list =>
      [...read[list]].flatMap(([name, reason]) => (isText(reason) ? [] : [`${list}.${name}: the reason must be a text`])),
    ),
  ];
  if (mistakes.length > 0) throw new Error(mistakes.map(mistake => `floors.yaml: ${mistake}`).join('\n'));
  return read;
}

function mistakesOf(floor: Partial<Floor> | null): string[] {
  const { range, advisories, effect } = floor ?? {};
  return [
    ...(isText(range) && validRange(range) !== null ? [] : [`range: ${JSON.stringify(range)} is no range of versions`]),
    ...(Array.isArray(advisories) && advisories.length > 0 && advisories.every(isText)
      ? []
      : ['advisories: must be a list of names']),
    ...(isText(effect) && effect.endsWith('.') ? [] : ['effect: must be a sentence']),
  ];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
