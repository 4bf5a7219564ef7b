import { type PanelBuilder, timeSeries } from '../panel.ts';
import { app, max, rate, rule, sum } from '../promql.ts';
import { query } from '../query.ts';
import { table } from '../table.ts';
import { units } from '../units.ts';

const budgetLeft = rule('slo:error_budget_left:ratio');
const firing = rule('ALERTS', 'alertstate="firing"');

/** The panels of what was promised, and of what is wrong now. */
export const objectives: readonly PanelBuilder[] = [
  timeSeries({
    title: 'Burn rate',
    reads: 'How fast each objective uses up its errors: 1 is a budget that lasts exactly 30 days, 14.4 one that lasts two.',
    good: 'below 1. The dashed line is where the first pager goes off, when the last 5 minutes agree with the hour.',
    unit: units.ratio,
    queries: [query(max('slo', rule('slo:burn_rate:rate1h')), '{{slo}}')],
    limit: 14.4,
  }),
  timeSeries({
    title: 'Error budget left by objective',
    reads: 'What is left of the errors that 30 days may have, by objective.',
    good: 'above 25 %: room for a risky change. Below zero the objective is missed, whatever the graphs show now.',
    unit: units.share,
    queries: [query(`min by (slo) (${budgetLeft})`, '{{slo}}')],
  }),
  table({
    title: 'Firing alerts',
    reads: 'A row for each alert that fires; the runbook has a paragraph by the same name.',
    good: 'empty.',
    unit: units.count,
    width: 12,
    rows: { severity: 'Severity', alertname: 'Alert', service: 'Service', envoy_cluster_name: 'Upstream', slo: 'Objective' },
    columns: [
      { name: 'Firing', expr: sum('severity, alertname, service, envoy_cluster_name, slo', firing), unit: units.count },
    ],
  }),
  timeSeries({
    title: 'Charges',
    reads: 'What the ledger answered, per second: charged, replayed (the same key again, nothing charged twice) or refused.',
    good: 'charged follows the orders. Replayed rises when callers try again, and is what keeps that harmless.',
    unit: units.perSecond,
    queries: [query(sum('outcome', rate(app('telltale_ledger_charges_total'))), '{{outcome}}')],
  }),
];
