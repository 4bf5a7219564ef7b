import { dashboard } from '../dashboard.ts';
import { codeColours } from '../grpc-codes.ts';
import { drillDown } from '../links.ts';
import { stat, timeSeries } from '../panel.ts';
import { app, inService, ofMethod, quantile, rate, rule, serverErrors, shareOf, sum } from '../promql.ts';
import { query, withExemplars } from '../query.ts';
import { table } from '../table.ts';
import { units } from '../units.ts';
import { grpcMethod, reference, service } from '../variables.ts';
import { objectives } from './mesh-objectives.ts';
import { whoCallsWhom } from './mesh-topology.ts';

const started = app('grpc_server_call_started_total', inService, ofMethod);
const ended = app('grpc_server_call_duration_seconds_count', inService, ofMethod);
const failed = app('grpc_server_call_duration_seconds_count', inService, ofMethod, serverErrors);
const buckets = app('grpc_server_call_duration_seconds_bucket', inService, ofMethod);
const budgetLeft = rule('slo:error_budget_left:ratio');
const firing = rule('ALERTS', 'alertstate="firing"');

const glance = [
  stat({
    title: 'Calls',
    reads: 'Calls that the chosen services and methods get per second, as their servers count them.',
    good: 'as many as you send, times the services that each goes through.',
    unit: units.callsPerSecond,
    query: query(sum('', rate(started)), 'calls'),
  }),
  stat({
    title: 'Server errors',
    reads: 'The share of calls that ended in UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE or DATA_LOSS.',
    good: 'below 0.1 %. A failure deep in the chain counts once in each service above it.',
    unit: units.share,
    query: query(shareOf('', failed, ended), 'errors'),
    limits: { warning: 0.001, bad: 0.01 },
  }),
  stat({
    title: 'Slowest call in a hundred',
    reads: 'The 99th percentile of how long servers take, over all chosen methods; streams last as long as their callers want.',
    good: 'below 0.3 s.',
    unit: units.seconds,
    query: query(quantile(0.99, '', buckets), 'p99'),
    limits: { warning: 0.3, bad: 1 },
  }),
  stat({
    title: 'Pods',
    reads: 'Pods of the chosen services whose metrics Prometheus reads.',
    good: 'the number of replicas; less means that a pod is down, or up and silent.',
    unit: units.count,
    query: query(sum('', app('up', inService)), 'pods'),
    limits: { bad: 1, falling: true },
  }),
  stat({
    title: 'Error budget left',
    reads: 'Of the objective that is worst off: what is left of the errors that 30 days may have.',
    good: 'above 25 %. Below zero the objective is missed.',
    unit: units.share,
    query: query(`min(${budgetLeft})`, 'budget'),
    limits: { warning: 0.25, bad: 0, falling: true },
  }),
  stat({
    title: 'Alerts',
    reads: 'Alerts that fire now; they are listed below and drawn as red lines on every panel.',
    good: '0.',
    unit: units.count,
    query: query(`count(${firing}) or vector(0)`, 'alerts'),
    limits: { bad: 1 },
  }),
];

const toService = drillDown('service', 'Open the service', { service: reference('__field.labels.service') });

const methods = [
  timeSeries({
    title: 'Calls by method',
    reads: 'Calls per second by method, counted when they arrive.',
    good: 'follows the load. A method that stops while others go on has lost its callers or its server.',
    unit: units.callsPerSecond,
    queries: [query(sum('service, grpc_method', rate(started)), '{{grpc_method}}')],
    links: [toService],
  }),
  timeSeries({
    title: 'Calls by status',
    reads: 'Calls per second by the status that they ended with; each status has the same colour on all dashboards.',
    good: 'green. Reds and oranges are the server’s errors, yellows and violets the caller’s, blue was cancelled.',
    unit: units.callsPerSecond,
    queries: [query(sum('grpc_status', rate(ended)), '{{grpc_status}}')],
    stacked: true,
    colours: codeColours,
  }),
  timeSeries({
    title: 'Errors by method',
    reads: 'The share of calls that ended in a server’s error, by method.',
    good: 'zero. Two methods that rise together have a service below them in common.',
    unit: units.share,
    queries: [query(shareOf('service, grpc_method', failed, ended), '{{grpc_method}}')],
    links: [toService],
  }),
  timeSeries({
    title: 'Duration by method',
    reads: 'The 99th percentile by method, and a dot for each traced call: a dot leads to its trace.',
    good: 'flat. The method at the bottom of the chain that rises with its callers is where to look.',
    unit: units.seconds,
    queries: [withExemplars(quantile(0.99, 'service, grpc_method', buckets), '{{grpc_method}}')],
    links: [toService],
  }),
  table({
    title: 'Methods',
    reads:
      'A row for each method: how often, how well, how fast, and how many calls are under way. A service leads to its dashboard.',
    good: 'errors at 0 %, a p99 within a few times the median.',
    unit: units.count,
    rows: { service: 'Service', grpc_method: 'Method' },
    columns: [
      { name: 'Calls', expr: sum('service, grpc_method', rate(started)), unit: units.callsPerSecond },
      {
        name: 'Errors',
        expr: shareOf('service, grpc_method', failed, ended),
        unit: units.share,
        limits: { warning: 0.001, bad: 0.01 },
      },
      { name: 'Median', expr: quantile(0.5, 'service, grpc_method', buckets), unit: units.seconds },
      { name: 'p99', expr: quantile(0.99, 'service, grpc_method', buckets), unit: units.seconds },
      {
        name: 'Under way',
        expr: sum('service, grpc_method', app('telltale_server_calls_active', inService, ofMethod)),
        unit: units.calls,
      },
    ],
    links: [drillDown('service', 'Open the service', { service: reference('__data.fields.Service') })],
  }),
];

/** Whether the mesh as a whole is well, and which service to look at when it is not. */
export const mesh = dashboard({
  name: 'mesh',
  description: 'Is the mesh well, who calls whom, and which service is to blame when it is not?',
  variables: [service('app', true), grpcMethod()],
  rows: [
    { title: 'At a glance', panels: glance },
    { title: 'Methods, as their servers see them', panels: methods },
    { title: 'Who calls whom', panels: whoCallsWhom },
    { title: 'Objectives', panels: objectives },
  ],
});
