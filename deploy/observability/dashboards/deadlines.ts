import { dashboard } from '../dashboard.ts';
import { tracesLink } from '../links.ts';
import { heatmap, timeSeries } from '../panel.ts';
import { app, inService, ofMethod, quantile, rate, shareOf, sum } from '../promql.ts';
import { query } from '../query.ts';
import { units } from '../units.ts';
import { grpcMethod, service, traces } from '../variables.ts';
import { gaveUp } from './deadlines-gave-up.ts';

const here = [inService, ofMethod];
const budgets = app('telltale_server_call_budget_seconds_bucket', ...here);
const work = (part: string) => app(`telltale_server_work_after_end_seconds_${part}`, ...here);

const budget = [
  timeSeries({
    title: 'Budget at arrival, by service',
    reads: 'What half of the calls have left of their deadline when they arrive. A chain is read from the top line down.',
    good: 'each hop a little below the one that calls it. A step between two is time lost between them.',
    unit: units.seconds,
    queries: [query(quantile(0.5, 'service', budgets), '{{service}}')],
  }),
  timeSeries({
    title: 'Least budget at arrival, by method',
    reads: 'The 5 % of the calls that have the least left arrive with at most this.',
    good: 'more than the method’s p99. Below it, calls are begun that cannot end in time.',
    unit: units.seconds,
    queries: [query(quantile(0.05, 'grpc_method', budgets), '{{grpc_method}}')],
  }),
  heatmap({
    title: 'Budget at arrival, all calls',
    reads: 'Every call in the bucket of what it had left when it arrived, the darker the more.',
    good: 'bands at the deadlines that callers set. A shadow below a band is a queue.',
    unit: units.seconds,
    query: query(sum('le', rate(budgets)), '{{le}}'),
  }),
  timeSeries({
    title: 'Calls that arrive too late',
    reads: 'The share of calls that arrive with less than a millisecond left, by service; their handlers are not started.',
    good: 'zero. Otherwise somebody further up spends the budget, or retries with what is left of it.',
    unit: units.share,
    queries: [
      query(
        shareOf(
          'service',
          app('telltale_server_call_budget_seconds_bucket', ...here, 'le="0.001"'),
          app('telltale_server_call_budget_seconds_count', ...here),
        ),
        '{{service}}',
      ),
    ],
  }),
  timeSeries({
    title: 'Calls without a deadline',
    reads: 'Calls per second that arrived without a deadline, by method.',
    good: 'empty but for streams that callers watch for as long as they like: the edge gives every other call one.',
    unit: units.callsPerSecond,
    queries: [query(sum('grpc_method', rate(app('telltale_server_calls_without_deadline_total', ...here))), '{{grpc_method}}')],
  }),
];

const nobody = [
  timeSeries({
    title: 'Work for nobody',
    reads: 'How many seconds per second handlers go on after their call has ended: 1 is one handler that is always at it.',
    good: 'empty or near zero: a handler that watches its signal stops at once.',
    unit: units.seconds,
    queries: [query(sum('service', rate(work('sum'))), '{{service}}')],
  }),
  timeSeries({
    title: 'How long handlers go on',
    reads: 'Of the calls that caller, deadline or drain ended: 95 % of the handlers stop within this time.',
    good: 'below 25 ms. An alert fires at 200 ms.',
    unit: units.seconds,
    queries: [query(quantile(0.95, 'grpc_method', work('bucket')), '{{grpc_method}}')],
    limit: 0.2,
  }),
  timeSeries({
    title: 'Handlers that went on',
    reads: 'Calls per second whose handler was still at work when caller, deadline or drain ended them.',
    good: 'at most the rate of calls that others ended, above.',
    unit: units.callsPerSecond,
    queries: [query(sum('grpc_method', rate(work('count'))), '{{grpc_method}}')],
  }),
];

/** What is left of the deadline at each hop, who gives up first, and who works on after that. */
export const deadlines = dashboard({
  name: 'deadlines',
  description: 'What is left of the deadline at each hop, who gives up first, and who works on for nobody?',
  variables: [service('app', true), grpcMethod(), traces()],
  links: [tracesLink()],
  rows: [
    { title: 'Budget', panels: budget },
    { title: 'Who gave up first', panels: gaveUp },
    { title: 'Work for nobody', panels: nobody },
  ],
});
