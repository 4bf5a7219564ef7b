import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** One promise of slo.yaml. */
export interface Objective {
  readonly name: string;
  readonly promise: string;
  /** Per cent of calls that must be good, above 0 and below 100. */
  readonly objective: number;
  /** Selectors of the counters of all calls. */
  readonly total: readonly string[];
  /** Selectors of the counters of calls that missed the promise; absent when `good` is there. */
  readonly bad?: readonly string[];
  /** Selectors of the counters of calls that kept it; absent when `bad` is there. */
  readonly good?: readonly string[];
}

/** What slo.yaml says. */
export interface Objectives {
  /** As Prometheus writes a duration. */
  readonly window: string;
  readonly objectives: readonly Objective[];
}

/** Reads slo.yaml. Throws an `Error` that names the first mistake. */
export function readObjectives(text = readFileSync(join(import.meta.dirname, 'slo.yaml'), 'utf8')): Objectives {
  const { window, objectives } = parse(text) as Partial<Objectives>;
  if (typeof window !== 'string' || !/^\d+d$/.test(window)) throw new Error('slo.yaml: window must be days, such as 30d');
  if (!Array.isArray(objectives)) throw new Error('slo.yaml: objectives must be a list');
  const names = new Set<string>();
  for (const objective of objectives) {
    const { name } = checked(objective);
    if (names.has(name)) throw new Error(`slo.yaml: there are two objectives ${name}`);
    names.add(name);
  }
  return { window, objectives };
}

function checked(objective: Partial<Objective>): Objective {
  const { name = '(without a name)', promise, objective: percent, total, bad, good } = objective;
  const wrong = (what: string) => new Error(`slo.yaml: ${name}: ${what}`);
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw wrong('name must be in kebab-case');
  if (typeof promise !== 'string') throw wrong('promise is missing');
  if (typeof percent !== 'number' || percent <= 0 || percent >= 100) throw wrong('objective must be between 0 and 100');
  if (!isList(total)) throw wrong('total must be a list of selectors');
  const [counted, ...more] = [bad, good].filter(list => list !== undefined);
  if (!isList(counted) || more.length > 0) throw wrong('there must be a list of selectors either as bad or as good');
  return { name, promise, objective: percent, total, ...(bad ? { bad } : { good: counted }) };
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(item => typeof item === 'string');
}
