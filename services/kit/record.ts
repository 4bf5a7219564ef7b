import type { Logger } from './log.ts';

/** What one hop saw of one call that is marked with a run. Times are milliseconds since the epoch, with fractions. */
export interface CallRecord {
  /** The run that the call belongs to. */
  readonly run: string;
  /** Full name: "telltale.users.v1.UserService/GetUser". */
  readonly method: string;
  readonly pod: string;
  /** The connection that the call came by, "address:port" of its other end. */
  readonly peer: string;
  /** Which attempt of the hop before this was, from 1. */
  readonly attempt: number;
  readonly arrivedAt: number;
  /** What was left of the deadline on arrival, in milliseconds; null without a deadline. */
  readonly budgetMs: number | null;
  /** The canonical code that the call ended with, as a name. */
  readonly status: string;
  /** When the call was answered, cancelled or expired. */
  readonly endedAt: number;
  /** When the handler had stopped; later than `endedAt` by the work that was done for nobody. */
  readonly stoppedAt: number;
}

/** Where the records of marked calls go. It never blocks a call and never throws. */
export type RecordSink = (record: CallRecord) => void;

/** A sink that logs each record on a line of its own with the message `call`. */
export const logRecords =
  (logger: Logger): RecordSink =>
  record =>
    logger.info({ call: record }, 'call');

/** The time now in milliseconds since the epoch, with fractions: for records, never for deadlines. */
export const preciseNow = (): number => performance.timeOrigin + performance.now();
