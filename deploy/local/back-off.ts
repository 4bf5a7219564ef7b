/** How long to wait before each restart of a container. */
export interface BackOff {
  /** The wait before the next start, in milliseconds, after a life of `livedMs`. */
  next(livedMs: number): number;
}

/** At once, then 0.5 s doubling to 30 s; from the beginning again after a life of 60 s (a kubelet: 10 s to 5 min, reset after 10 min). */
export function restartBackOff({ firstMs = 500, maxMs = 30_000, resetMs = 60_000 } = {}): BackOff {
  let wait = 0;
  return {
    next(livedMs) {
      if (livedMs >= resetMs) wait = 0;
      const now = wait;
      wait = now === 0 ? firstMs : Math.min(now * 2, maxMs);
      return now;
    },
  };
}
