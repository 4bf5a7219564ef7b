import { dashboard } from '../dashboard.ts';
import { drillDown } from '../links.ts';
import { timeSeries } from '../panel.ts';
import { app, envoy, inService, max, quantile, rate, sum } from '../promql.ts';
import { query } from '../query.ts';
import { units } from '../units.ts';
import { reference, service } from '../variables.ts';

const pods = (metric: string) => sum('service, pod', app(metric, inService));
/** What Envoys send to the collector: batches, by the class of the answer. */
const batches = (...matchers: string[]) =>
  sum('service', rate(envoy('envoy_cluster_upstream_rq_xx', inService, 'envoy_cluster_name="otlp"', ...matchers)));
const toService = drillDown('service', 'Open the service', { service: reference('__field.labels.service') });

const loop = [
  timeSeries({
    title: 'Event loop lag',
    reads: 'The 99th percentile of how much later than planned the loop comes round, since the last scrape.',
    good: 'about 11 ms, of which 10 ms is the timer that measures. Above 100 ms deadlines fire late.',
    unit: units.seconds,
    queries: [query(max('service, pod', app('nodejs_eventloop_lag_p99_seconds', inService)), '{{pod}}')],
    limit: 0.1,
    links: [toService],
  }),
  timeSeries({
    title: 'CPU',
    reads: 'Cores that each app uses. JavaScript runs on one; the collector of garbage and the network use a little more.',
    good: 'below 0.7. Near 1 calls wait for the loop, and more replicas help.',
    unit: units.count,
    queries: [query(sum('service, pod', rate(app('process_cpu_seconds_total', inService))), '{{pod}}')],
    limit: 1,
    links: [toService],
  }),
  timeSeries({
    title: 'Time in garbage collection',
    reads: 'The share of time that each app spends on collecting garbage, by kind.',
    good: 'below 2 %, nearly all "minor". A "major" part that grows is a heap that fills up.',
    unit: units.share,
    queries: [query(sum('pod, kind', rate(app('nodejs_gc_duration_seconds_sum', inService))), '{{pod}} {{kind}}')],
  }),
  timeSeries({
    title: 'Longest pauses for garbage collection',
    reads: 'The 99th percentile of a collection, by pod; nothing else runs meanwhile.',
    good: 'below 10 ms.',
    unit: units.seconds,
    queries: [query(quantile(0.99, 'pod', app('nodejs_gc_duration_seconds_bucket', inService)), '{{pod}}')],
  }),
];

const memory = [
  timeSeries({
    title: 'Memory of the process',
    reads: 'Resident memory of each app: heap, buffers and the program itself.',
    good: 'below 200 MiB (the limit is 256 MiB), and level over hours.',
    unit: units.bytes,
    queries: [query(pods('process_resident_memory_bytes'), '{{pod}}')],
    links: [toService],
  }),
  timeSeries({
    title: 'Heap in use',
    reads: 'Objects on the heap, garbage that is not collected yet among them.',
    good: 'a saw-tooth whose lower points stay level. Lower points that rise are a leak.',
    unit: units.bytes,
    queries: [query(pods('nodejs_heap_size_used_bytes'), '{{pod}}')],
    links: [toService],
  }),
  timeSeries({
    title: 'Share of the heap in use',
    reads: 'The heap in use divided by the heap that is reserved.',
    good: 'between 50 % and 90 %.',
    unit: units.share,
    queries: [query(`${pods('nodejs_heap_size_used_bytes')} / ${pods('nodejs_heap_size_total_bytes')}`, '{{pod}}')],
  }),
  timeSeries({
    title: 'Memory outside of the heap',
    reads: 'Buffers and what native code keeps for objects: messages that are read or written.',
    good: 'level. It grows with slow readers and with large messages.',
    unit: units.bytes,
    queries: [query(pods('nodejs_external_memory_bytes'), '{{pod}}')],
  }),
];

const resources = [
  timeSeries({
    title: 'What keeps the loop alive',
    reads: 'Sockets, timers and the like, by type, over the chosen pods.',
    good: 'level under a level load. Timers that only grow are deadlines that nobody clears.',
    unit: units.count,
    queries: [query(sum('type', app('nodejs_active_resources', inService)), '{{type}}')],
    width: 8,
  }),
  timeSeries({
    title: 'Age of the process',
    reads: 'Time since each app started.',
    good: 'straight lines. A line that falls to zero is a restart.',
    unit: units.seconds,
    queries: [query(`time() - ${max('service, pod', app('process_start_time_seconds', inService))}`, '{{pod}}')],
    width: 8,
  }),
  timeSeries({
    title: 'Spans and call records dropped',
    reads:
      'What never reached the collector of traces, or the lab, per second: spans and records, because a queue was full or nobody took them, and whole batches of spans of Envoys.',
    good: 'zero. Calls are not slowed by it, but traces, or the results of scenarios, have holes.',
    unit: units.perSecond,
    queries: [
      query(sum('service', rate(app('telltale_spans_dropped_total', inService))), 'spans of {{service}}'),
      query(`${batches('envoy_response_code_class="5"')} or 0 * ${batches()}`, 'batches of the Envoys of {{service}}'),
      query(sum('service', rate(app('telltale_records_dropped_total', inService))), 'records of {{service}}'),
    ],
    width: 8,
    links: [toService],
  }),
];

/** How the Node processes fare, whatever they answer. */
export const node = dashboard({
  name: 'node',
  description: 'Have the processes time, memory and room left?',
  variables: [service('app', true)],
  rows: [
    { title: 'Time', panels: loop },
    { title: 'Memory', panels: memory },
    { title: 'Resources', panels: resources },
  ],
});
