/** Says by how much something that only grows has grown during a load. */
export interface LoadCounter<Name extends string> {
  /** Makes a call; the count begins, anew, with the `first`. Rejects as the call does. */
  during<Answer>(first: boolean, call: () => Promise<Answer>): Promise<Answer>;
  /** The growth from the beginning of the first call to the end of the last: what comes after that is not the load's. */
  grown(): Readonly<Record<Name, number>>;
}

/** Makes a counter of what these functions read. */
export function loadCounter<Name extends string>(reads: Readonly<Record<Name, () => number>>): LoadCounter<Name> {
  const names = Object.keys(reads) as Name[];
  const readAll = () => names.map(name => reads[name]());
  let open = 0;
  let [from, to]: number[][] = [[], []];
  return {
    async during(first, call) {
      if (first) from = readAll();
      open++;
      try {
        return await call();
      } finally {
        if (--open === 0) to = readAll();
      }
    },
    grown: () => {
      const grown = names.map((name, n) => [name, (to?.[n] ?? Number.NaN) - (from?.[n] ?? Number.NaN)]);
      return Object.fromEntries(grown) as Record<Name, number>;
    },
  };
}

/** The CPU time that this process has used, in microseconds. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
