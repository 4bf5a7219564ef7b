import Table from 'cli-table3';
import type { Result } from '../result.ts';
import { shownNumber } from '../verdict.ts';
import { conditionsText, figureText, unitText } from './result-text.ts';

/**
 * Two results of one scenario: each figure of each arm side by side, and the second's median as a share of the first's; dashes for
 * an arm that only one of them has, as some run in a cluster only.
 */
export function compareText(one: Result, other: Result): string {
  const table = new Table({
    head: ['arm', 'figure', one.id, other.id, 'ratio'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'right', 'right', 'right'],
  });
  const figuresOf = ({ arms }: Result, name: string) => arms.find(arm => arm.name === name)?.figures ?? {};
  for (const name of new Set([...one.arms, ...other.arms].map(arm => arm.name))) {
    const [ours, theirs] = [figuresOf(one, name), figuresOf(other, name)];
    for (const [figure, { title, unit }] of Object.entries(one.figures)) {
      const [a, b] = [ours[figure], theirs[figure]];
      const ratio = a?.median && typeof b?.median === 'number' ? shownNumber(b.median / a.median) : '–';
      table.push([name, unitText(title, unit), figureText(a), figureText(b), ratio]);
    }
  }
  const verdicts = [one, other].map(({ id, verdict }) => `${id}: ${verdict.kind}`);
  return [`${table}`, '', ...verdicts, '', conditionsText(one), conditionsText(other)].join('\n');
}
