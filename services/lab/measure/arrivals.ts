/** A source of numbers from 0 (included) to 1 (not included), the same for the same seed: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** When calls are due. */
export interface ArrivalOptions {
  /** Calls a second, on average. */
  readonly rate: number;
  readonly seconds: number;
  /** `fixed`: at equal distances; `poisson`: as independent callers would, by the seed; `burst`: those of each second at once. */
  readonly arrivals: 'fixed' | 'poisson' | 'burst';
  readonly seed: number;
}

/** When each call is due, in milliseconds from the beginning. Every kind is `rate * seconds` calls; the Poisson kind may end a little later. */
export function arrivalTimes({ rate, seconds, arrivals, seed }: ArrivalOptions): number[] {
  const random = seededRandom(seed);
  const spacing = 1000 / rate;
  let at = 0;
  return Array.from({ length: Math.round(rate * seconds) }, (_, n) => {
    if (arrivals === 'fixed') return n * spacing;
    if (arrivals === 'burst') return Math.floor(n / rate) * 1000;
    at -= Math.log(1 - random()) * spacing;
    return at;
  });
}
