import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { ResultSummary } from '../../../proto/gen/telltale/lab/v1/lab.ts';
import type { ArmResult, FigureResult, Result } from '../result.ts';
import { shownNumber } from '../verdict.ts';
import { barChart } from './bar-chart.ts';

/** A result for a terminal: the arms side by side, the headline as bars, the checks, the verdict, the conditions, what was not tested. */
export function resultText(result: Result): string {
  const { scenario, claim, checks, verdict, passed } = result;
  const marks = checks.map(
    ({ says, passed, observed }) => `  ${passed ? paint('green', '✔') : paint('red', '✘')} ${says}: ${observed}`,
  );
  return [
    '',
    `${paint('bold', scenario)}  ${claim.says}`,
    paint('dim', `(${claim.by})`),
    '',
    armsTable(result),
    '',
    headlineChart(result),
    '',
    ...marks,
    '',
    paint(passed ? 'green' : verdict.kind === 'does not hold' ? 'red' : 'yellow', `${verdict.kind}: ${verdict.sentence}`),
    paint('dim', conditionsText(result)),
    paint('dim', ['not tested:', ...result.conditions.notTested.map(each => `  - ${each}`)].join('\n')),
  ].join('\n');
}

function armsTable({ arms, figures }: Result): string {
  const row = (name: string, cell: (arm: ArmResult) => string): string[] => [name, ...arms.map(cell)];
  const services = [...new Set(arms.flatMap(({ cpu }) => Object.keys(cpu.servicesPerCallUs)))].sort();
  const table = new Table({
    head: row('', ({ name, control }) => `${name}${control ? ' (control)' : ''}`),
    style: { head: process.stdout.isTTY ? ['bold'] : [], border: [], compact: true },
    colAligns: ['left', ...arms.map(() => 'right' as const)],
  });
  for (const [name, { title, unit }] of Object.entries(figures)) {
    table.push(row(unitText(title, unit), ({ figures }) => figureText(figures[name])));
  }
  table.push(
    row('Calls by status', ({ statuses }) => counts(statuses)),
    row('Latency p50 / p99, ms', ({ latencyMs }) => pair(latencyMs?.p50, latencyMs?.p99)),
    row(LATENESS, ({ latenessMs }) => delayText(latenessMs)),
    row(LOOP_DELAY, ({ loopDelayMs }) => delayText(loopDelayMs)),
    ...services.map(service => row(`CPU of ${service}, µs per call`, ({ cpu }) => `${cpu.servicesPerCallUs[service] ?? '–'}`)),
    row('CPU of the lab, µs per call', ({ cpu }) => `${cpu.labPerCallUs}`),
    row('Saturated', saturatedText),
  );
  for (const method of [...new Set(arms.flatMap(({ reports }) => Object.keys(reports)))]) {
    table.push(row(`${method.split('/')[1]} reported`, ({ reports }) => counts(reports[method] ?? {})));
  }
  return table.toString();
}

function headlineChart({ headline, figures, arms }: Result): string {
  const { title = headline.figure, unit = '' } = figures[headline.figure] ?? {};
  const bars = arms.map(({ name, figures }) => {
    const value = figures[headline.figure]?.median ?? null;
    return { label: name, value, text: shownNumber(value) };
  });
  const ratio =
    headline.ratio === null ? '' : ` (${headline.arm} is ${shownNumber(100 * headline.ratio)} % of ${headline.control})`;
  return `${unitText(title, unit)}${ratio}\n${barChart(bars)}`;
}

/** Under which conditions a result was made, in two lines. */
export function conditionsText({ id, conditions, parameters }: Result): string {
  const { mode, cores, platform, versions, calls } = conditions;
  const set = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${id}: ${calls} calls, ${set.join(', ')}\n${mode}, ${cores} cores, ${platform}; ${software.join(', ')}`;
}

/** The results that are kept, a line each. */
export function resultsText(results: readonly ResultSummary[]): string {
  if (results.length === 0) return 'no result is kept yet; make one: telltale run deadlines';
  const table = new Table({ head: ['result', 'began', 'verdict'], style: { head: [], border: [], compact: true } });
  for (const { resultId, startedAt, verdict } of results) table.push([resultId, startedAt, verdict]);
  return table.toString();
}

/** The median of a figure, with the range of its repetitions. */
export function figureText(figure: FigureResult | undefined): string {
  if (!figure) return '–';
  const { median, min, max } = figure;
  const range = min === max ? '' : ` (${shownNumber(min)} – ${shownNumber(max)})`;
  return `${shownNumber(median)}${range}`;
}

/** The rows that say how late the lab itself was. */
export const LATENESS = 'Calls begun late by p50 / p99 / max, ms';
export const LOOP_DELAY = 'Event-loop delay of the lab p50 / p99 / max, ms';

/** A delay of the lab; results of earlier versions have none. */
export function delayText(delay: ArmResult['latenessMs']): string {
  return delay ? [delay.p50, delay.p99, delay.max].map(ms => ms.toFixed(1)).join(' / ') : '–';
}

/** Who had no room left in an arm. */
export function saturatedText({ cpu: { saturated } }: ArmResult): string {
  return saturated === 'lab' ? 'the lab' : (saturated ?? 'nobody');
}

/** A title with its unit. */
export const unitText = (title: string, unit: string): string => (unit === '' ? title : `${title}, ${unit}`);

const pair = (one = Number.NaN, other = Number.NaN) => [one, other].map(ms => (ms >= 0 ? ms.toFixed(1) : '–')).join(' / ');

const counts = (of: Readonly<Record<string, number>>) =>
  Object.entries(of)
    .map(([name, count]) => `${name} ${count}`)
    .join('\n') || '–';

function paint(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
}
