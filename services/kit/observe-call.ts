import { status } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';
import { isMeasuring, metrics, observeTraced } from './metrics.ts';

/** Who ended a call first. */
export type EndedBy = 'handler' | 'caller' | 'deadline' | 'drain';

/** What a served call brought with it. */
export interface Arrival {
  /** "telltale.users.v1.UserService/GetUser". */
  readonly method: string;
  /** What was left of the deadline, in milliseconds; null without a deadline. */
  readonly budgetMs: number | null;
  /** Which attempt of the hop before this is, from 1. */
  readonly attempt: number;
}

/** Measures a served call: its metrics, and the attributes of its span, which is the active one when the call arrives. */
export interface ServerObservation {
  /** The call ends with this code; say it before the answer is sent, which ends the span. */
  end(code: status, by: EndedBy): void;
  /** The handler has stopped. */
  stop(): void;
}

const UNMEASURED: ServerObservation = { end: () => {}, stop: () => {} };

/** Begins to measure a call that is served. */
export function observeServerCall({ method, budgetMs, attempt }: Arrival): ServerObservation {
  if (!isMeasuring()) return UNMEASURED;
  const { server } = metrics;
  const labels = { grpc_method: method };
  const startedAt = performance.now();
  const span = trace.getActiveSpan();
  let ended: { at: number; by: EndedBy } | undefined;

  server.started.inc(labels);
  server.active.inc(labels);
  if (attempt > 1) server.retries.inc(labels);
  if (budgetMs === null) server.withoutDeadline.inc(labels);
  else server.budget.observe(labels, budgetMs / 1000);
  if (span?.isRecording()) {
    span.setAttribute('telltale.attempt', attempt);
    if (budgetMs !== null) span.setAttribute('telltale.budget_ms', Math.round(budgetMs));
  }
  return {
    end: (code, by) => {
      ended = { at: performance.now(), by };
      server.ended.inc({ grpc_method: method, ended_by: by });
      const durationLabels = { grpc_method: method, grpc_status: status[code] };
      observeTraced(server.duration, durationLabels, (ended.at - startedAt) / 1000, span);
      if (span?.isRecording()) span.setAttribute('telltale.ended_by', by);
    },
    stop: () => {
      server.active.dec(labels);
      if (ended && ended.by !== 'handler') server.workAfterEnd.observe(labels, (performance.now() - ended.at) / 1000);
    },
  };
}
