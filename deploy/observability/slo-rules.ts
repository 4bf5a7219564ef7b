import { uidOf } from './links.ts';
import { type Objective, type Objectives, readObjectives } from './slo.ts';

/** A recording or alerting rule as Prometheus reads it. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly for?: string;
}

/** A file of rules as Prometheus reads it. */
export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly interval?: string; readonly rules: readonly Rule[] }[];
}

/** A pair of windows that both must burn: the long one says that it matters, the short one that it goes on. */
interface Burn {
  readonly alert: string;
  /** Times the rate at which the budget lasts exactly the window. */
  readonly rate: number;
  readonly long: string;
  readonly short: string;
  readonly severity: 'page' | 'ticket';
  readonly gone: string;
}

/** The pairs of chapter 5 of Google's SRE workbook, with 3x and 1x as tickets. @see https://sre.google/workbook/alerting-on-slos/ */
const burns: readonly Burn[] = [
  { alert: 'ErrorBudgetGoneInTwoDays', rate: 14.4, long: '1h', short: '5m', severity: 'page', gone: 'two days' },
  { alert: 'ErrorBudgetGoneInFiveDays', rate: 6, long: '6h', short: '30m', severity: 'page', gone: 'five days' },
  { alert: 'ErrorBudgetGoneInTenDays', rate: 3, long: '1d', short: '2h', severity: 'ticket', gone: 'ten days' },
  { alert: 'ErrorBudgetGoneInThirtyDays', rate: 1, long: '3d', short: '6h', severity: 'ticket', gone: 'thirty days' },
];

/** How often a window is calculated: long ones change slowly and cost most. Below the 5 min after which Prometheus ends a series. */
const intervals = { '30s': ['5m', '30m', '1h', '2h', '6h'], '2m': ['1d', '3d', '30d'] } as const;

const calls = (window: string): string => `slo:calls:rate${window}`;
const misses = (window: string): string => `slo:misses:rate${window}`;
const burnRate = (window: string): string => `slo:burn_rate:rate${window}`;
const budget = 'slo:error_budget:ratio';
const budgetLeft = 'slo:error_budget_left:ratio';

/** The names of all series that the rules record. */
export const recordedNames: readonly string[] = [
  budget,
  ...Object.values(intervals)
    .flat()
    .flatMap(window => [calls(window), misses(window), burnRate(window)]),
  budgetLeft,
];

/** The rules of slo.yaml: calls, misses and burn rate of each objective over each window, what is left of its budget, the alerts. */
export function sloRules({ window, objectives }: Objectives = readObjectives()): RuleFile {
  const recordings = Object.entries(intervals).map(([interval, windows]) => ({
    name: `slo-every-${interval}`,
    interval,
    rules: windows.flatMap(over => recordingsOver(over, objectives)),
  }));
  const budgets = objectives.map(({ name: slo, objective }) => {
    // Of decimal fractions such as 1 - 0.999 only so many digits are right.
    const share = Number((1 - objective / 100).toPrecision(6));
    return { record: budget, expr: `vector(${share})`, labels: { slo } };
  });
  const left = { record: budgetLeft, expr: `1 - ${burnRate(window)}` };
  return {
    groups: [
      { name: 'slo-budgets', interval: '30s', rules: budgets },
      ...recordings,
      { name: 'slo-alerts', interval: '30s', rules: [left, ...burns.map(alert)] },
    ],
  };
}

function recordingsOver(window: string, objectives: readonly Objective[]): Rule[] {
  const counted = objectives.flatMap(objective => {
    const labels = { slo: objective.name };
    return [
      { record: calls(window), expr: added(objective.total, window), labels },
      { record: misses(window), expr: missed(objective, window), labels },
    ];
  });
  // Nothing while there are no calls; at most all of them, where a call may be counted twice.
  const share = `clamp_max(${misses(window)} / (${calls(window)} > 0), 1)`;
  return [...counted, { record: burnRate(window), expr: `${share} / on (slo) group_left () ${budget}` }];
}

function missed({ name, bad, good = [] }: Objective, window: string): string {
  const all = `sum without (slo) (${calls(window)}{slo="${name}"})`;
  // A counter that does not exist yet is a zero where there are calls at all.
  return bad ? added(bad, window, ` or 0 * ${all}`) : `${all} - (${added(good, window, ` or 0 * ${all}`)})`;
}

function added(selectors: readonly string[], window: string, otherwise = ''): string {
  const sums = selectors.map(selector => `sum by (namespace) (rate(${selector}[${window}]))${otherwise}`);
  return sums.length === 1 ? `${sums[0]}` : sums.map(sum => `(${sum})`).join('\n+ ');
}

function alert({ alert, rate, long, short, severity, gone }: Burn): Rule {
  return {
    alert,
    expr: `${burnRate(long)} > ${rate} and ${burnRate(short)} > ${rate}`,
    labels: { severity },
    annotations: {
      summary: `The error budget of {{ $labels.slo }} in {{ $labels.namespace }} would be gone in ${gone}`,
      description: `{{ $labels.slo }} has burnt its errors {{ printf "%.1f" $value }} times too fast over ${long}, and above ${rate} times over ${short} as well.`,
      runbook: `deploy/observability/runbook.md#${alert.toLowerCase()}`,
      dashboard: `/d/${uidOf('mesh')}`,
    },
  };
}
