import { type CallPicture, durationsOf, endedWith, hopsOf } from '../../call-picture.ts';
import { quantile, share } from '../../measure/statistics.ts';
import { CHAIN } from '../../orders.ts';
import type { Figure, Figures } from '../../scenario.ts';

/** What a code says to who gets it: whose doing it was, and what to do. */
export const MEANINGS = {
  CANCELLED: 'the caller’s own doing: nobody waits, do not repeat',
  DEADLINE_EXCEEDED: 'too late for this caller: repeat only with more time, the outcome is not known',
  UNAVAILABLE: 'nobody’s fault: repeat the same call after a moment',
  RESOURCE_EXHAUSTED: 'the callee has too much to do: repeat less, and after the time that it says',
} as const;

/** What the caller shall see, and what each hop may report. */
export interface Expected {
  readonly code: string;
  readonly reports: readonly string[];
}

/** What each repetition of an arm gives. */
export const figures = {
  decidable: { title: 'Caller can tell what to do', unit: 'share' },
  expected: { title: 'Caller sees the code that was caused', unit: 'share' },
  hops: { title: 'Hops that report it', unit: 'share' },
  named: { title: 'Proxy names the pod that answered', unit: 'share' },
  retryAfter: { title: 'Answer says when to try again', unit: 'share' },
  attempts: { title: 'Attempts at payments per call, most', unit: '' },
  answeredP50: { title: 'Answered after, median', unit: 'ms', latency: true },
} satisfies Record<string, Figure>;

/** The figures of one repetition of calls that fail; of those `named`, by id, the proxy said which pod had answered. */
export function figuresOf(
  pictures: readonly CallPicture[],
  { code, reports }: Expected,
  named: ReadonlySet<string>,
): Figures<keyof typeof figures> {
  const hops = pictures.flatMap(picture => CHAIN.flatMap(method => hopsOf(picture, method)));
  return {
    expected: endedWith(pictures, code),
    decidable: share(pictures, ({ status }) => status in MEANINGS),
    hops: share(hops, ({ status }) => reports.includes(status)),
    named: share(pictures, ({ id }) => named.has(id)),
    retryAfter: share(pictures, ({ retryAfterMs }) => retryAfterMs !== undefined),
    attempts: Math.max(...pictures.map(picture => hopsOf(picture, 'Charge').length)),
    answeredP50: quantile(durationsOf(pictures), 0.5),
  };
}
