import type { CallPicture } from '../../call-picture.ts';
import { share } from '../../measure/statistics.ts';
import type { Rollout } from '../../rollouts.ts';
import type { Figure, Figures } from '../../scenario.ts';

/** What each repetition of an arm gives. */
export const figures = {
  failed: { title: 'Failed calls per rollout', unit: 'calls' },
  lost: { title: 'Share of all calls', unit: 'share' },
  replaced: { title: 'Pods that were replaced under load', unit: 'share' },
  took: { title: 'The rollout took', unit: 's' },
} satisfies Record<string, Figure>;

/** The addresses of the pods that have answered calls before a rollout began, and after it was over. */
export interface Answered {
  readonly before: ReadonlySet<string>;
  readonly after: ReadonlySet<string>;
}

/** The figures of one repetition. */
export function figuresOf(
  pictures: readonly CallPicture[],
  rollout: Rollout,
  answered: Answered,
): Figures<keyof typeof figures> {
  const failed = pictures.filter(({ status }) => status !== 'OK').length;
  const kept = new Set(rollout.after.map(({ name }) => name));
  const old = share(rollout.before, ({ name, address }) => answered.before.has(address) && !kept.has(name));
  const young = share(rollout.after, ({ address }) => answered.after.has(address));
  return { failed, lost: failed / pictures.length, replaced: Math.min(old, young), took: rollout.tookMs / 1000 };
}
