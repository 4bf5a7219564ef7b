import { type CallPicture, endedWith } from '../../call-picture.ts';
import type { Figure, Figures } from '../../scenario.ts';
import { podCalls, podShares, type ScaleUp } from './pod-shares.ts';

/** How many pods there are at first. */
export const BASE = 2;

/** What each repetition of an arm gives. */
export const figures = {
  old: { title: 'Busiest of the old pods, in times of its share', unit: '' },
  after: { title: 'Busiest of all pods, in times of its share', unit: '' },
  busiest: { title: 'Calls that it has', unit: 'share' },
  served: { title: 'New pods that get their share', unit: 'share' },
  seconds: { title: 'Until then', unit: 's' },
  answered: { title: 'Calls answered', unit: 'share' },
} satisfies Record<string, Figure>;

/** The figures of one repetition, of so many calls a second. */
export function figuresOf(pictures: readonly CallPicture[], scaleUp: ScaleUp, rate: number): Figures<keyof typeof figures> {
  const shares = podShares(podCalls(pictures, 'GetUser'), scaleUp, rate);
  return { ...shares, busiest: shares.after / scaleUp.all.length, answered: endedWith(pictures, 'OK') };
}
