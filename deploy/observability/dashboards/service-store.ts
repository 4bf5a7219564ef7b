import { type PanelBuilder, timeSeries } from '../panel.ts';
import { app, inService, quantile, rate, sum } from '../promql.ts';
import { query } from '../query.ts';
import { units } from '../units.ts';

/** The panels of a service's database; a service that keeps nothing has nothing here. */
export const store: readonly PanelBuilder[] = [
  timeSeries({
    title: 'Database connections',
    reads: 'Connections to the database by state, over all pods; "waiting" are calls for which there is none.',
    good: 'nobody waits. All busy and some waiting: statements are slow, or there are too many calls.',
    unit: units.count,
    queries: [query(sum('state', app('telltale_database_connections', inService)), '{{state}}')],
    colours: { idle: '#73BF69', busy: '#8AB8FF', waiting: '#F2495C' },
    stacked: true,
    width: 8,
  }),
  timeSeries({
    title: 'Duration of statements',
    reads: 'The 99th percentile of a statement, by outcome.',
    good: 'below 20 ms for "ok".',
    unit: units.seconds,
    queries: [
      query(quantile(0.99, 'outcome', app('telltale_database_statement_duration_seconds_bucket', inService)), '{{outcome}}'),
    ],
    width: 8,
  }),
  timeSeries({
    title: 'Statements by outcome',
    reads: 'Statements per second by outcome; "cancelled" had a caller that did not wait.',
    good: '"ok" alone. "unavailable" is a database that is away, "error" one that refuses.',
    unit: units.perSecond,
    queries: [query(sum('outcome', rate(app('telltale_database_statement_duration_seconds_count', inService))), '{{outcome}}')],
    width: 8,
  }),
];
