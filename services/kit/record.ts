import type { CallRecord } from '../../proto/gen/telltale/lab/v1/record.ts';
import type { Logger } from './log.ts';

export type { CallRecord } from '../../proto/gen/telltale/lab/v1/record.ts';

/** Where the records of marked calls go. It never blocks a call and never throws. */
export type RecordSink = (record: CallRecord) => void;

/** A sink that logs each record at the level debug, a line each with the message `call`; above that it costs nothing. */
export function logRecords(logger: Logger): RecordSink {
  const write = (call: CallRecord) => logger.debug({ call }, 'call');
  return record => {
    if (logger.isLevelEnabled('debug')) setImmediate(write, record); // the answer, which is being sent, goes out first
  };
}

/** The time now in milliseconds since the epoch, with fractions: for records, never for deadlines. */
export const preciseNow = (): number => performance.timeOrigin + performance.now();
