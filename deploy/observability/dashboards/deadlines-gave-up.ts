import { codeColours } from '../grpc-codes.ts';
import { type PanelBuilder, timeSeries } from '../panel.ts';
import { app, envoy, inService, ofMethod, rate, shareOf, sum } from '../promql.ts';
import { query } from '../query.ts';
import { units } from '../units.ts';

const ended = (...matchers: string[]) => app('telltale_server_calls_ended_total', inService, ofMethod, ...matchers);
const givenUp = 'grpc_status=~"CANCELLED|DEADLINE_EXCEEDED"';

/** The panels of who ended a call before its handler did. */
export const gaveUp: readonly PanelBuilder[] = [
  timeSeries({
    title: 'Who ended the call first',
    reads:
      'Calls per second by who ended them: the handler by its answer, the caller by cancelling, the deadline, or the drain of a pod.',
    good: 'the handler.',
    unit: units.callsPerSecond,
    queries: [query(sum('ended_by', rate(ended())), '{{ended_by}}')],
    stacked: true,
    colours: {
      handler: codeColours.OK ?? '',
      caller: codeColours.CANCELLED ?? '',
      deadline: codeColours.DEADLINE_EXCEEDED ?? '',
      drain: codeColours.ABORTED ?? '',
    },
  }),
  timeSeries({
    title: 'Share of calls that others ended',
    reads: 'Of the calls of a service: the share that caller, deadline or drain ended before its handler.',
    good: 'near zero. The service furthest down the chain whose share is high is the slow one.',
    unit: units.share,
    queries: [query(shareOf('service', ended('ended_by!="handler"'), ended()), '{{service}}')],
  }),
  timeSeries({
    title: 'Given up, as servers see it',
    reads: 'Calls per second that ended in CANCELLED or DEADLINE_EXCEEDED at their server.',
    good: 'empty. Orange and no blue: the deadline travels. Blue where callers have deadlines: their timers fire first.',
    unit: units.callsPerSecond,
    queries: [
      query(
        sum('grpc_status', rate(app('grpc_server_call_duration_seconds_count', inService, ofMethod, givenUp))),
        '{{grpc_status}}',
      ),
    ],
    stacked: true,
    colours: codeColours,
  }),
  timeSeries({
    title: 'Given up, as callers see it',
    reads: 'Calls per second that ended in CANCELLED or DEADLINE_EXCEEDED at the services that made them.',
    good: 'empty, or as many as on the left. More here: calls that never reached a handler.',
    unit: units.callsPerSecond,
    queries: [
      query(sum('grpc_status', rate(app('grpc_client_call_duration_seconds_count', inService, givenUp))), '{{grpc_status}}'),
    ],
    stacked: true,
    colours: codeColours,
  }),
  timeSeries({
    title: 'Deadlines that an Envoy ended',
    reads:
      'Calls per second that an Envoy ended itself, by service and listener: egress for the caller, ingress for the callee, and the edge.',
    good: 'zero. An Envoy that is first means that the app below does not answer at all, or answers late.',
    unit: units.callsPerSecond,
    queries: [
      query(
        sum(
          'service, envoy_http_conn_manager_prefix',
          rate(envoy('envoy_http_downstream_rq_max_duration_reached', 'envoy_http_conn_manager_prefix=~"edge|ingress|egress"')),
        ),
        '{{service}} {{envoy_http_conn_manager_prefix}}',
      ),
    ],
    width: 24,
  }),
];
