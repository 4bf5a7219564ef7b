import { closest } from 'fastest-levenshtein';
import { UsageError } from './run-error.ts';

/** What belongs to `name`; throws a `UsageError` that names the nearest and lists all names when there is none. */
export function lookUp<T>(services: ReadonlyMap<string, T>, name: string): T {
  const found = services.get(name);
  if (found !== undefined) return found;
  const names = [...services.keys()].sort();
  const nearest = names.length === 0 ? '' : ` Did you mean ${closest(name, names)}?`;
  throw new UsageError(`unknown service ${JSON.stringify(name.slice(0, 64))}.${nearest} Services: ${names.join(', ')}`);
}
