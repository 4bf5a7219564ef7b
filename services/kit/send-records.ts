import { LabServiceService, type ReportRecordsRequest } from '../../proto/gen/telltale/lab/v1/lab.ts';
import { type ClientOptions, createClient } from './client.ts';
import { deadlineIn } from './deadline.ts';
import type { Logger } from './log.ts';
import { pause } from './pause.ts';
import { preciseNow, type RecordSink } from './record.ts';
import { RecordQueue } from './record-queue.ts';

/** Who sends records, and where to. */
export interface SendRecordsOptions extends ClientOptions {
  /** The short name of the service. */
  readonly service: string;
  readonly pod: string;
  readonly logger: Logger;
  /** How many records are kept at most while they cannot be sent. Default 10,000. */
  readonly limit?: number;
}

/** Sends records; dispose of it to send what is left, for at most a second, and to close the connection. */
export interface RecordSender extends AsyncDisposable {
  readonly sink: RecordSink;
}

/** How long one stream lasts, in milliseconds; the next follows at once. */
const STREAM_MS = 300_000;
/** How long records are gathered before they are sent together, in milliseconds, and how many go together: a message costs more than a record. */
const GATHER_MS = 100;
const TOGETHER = 200;
/** How long nothing is said without a record, in milliseconds: proxies end a silent stream, and the CPU time is news by itself. */
const SILENCE_MS = 1000;
/** The wait before a stream is opened again that broke: the first, and the longest, in milliseconds. A run waits longer than that. */
const BACK_OFF_MS = [200, 2000] as const;
/** What is left at the end may take this long, in milliseconds. */
const FLUSH_MS = 1000;

/**
 * Sends the records of marked calls over one long client stream, off the calls' way. What cannot be sent is kept up to a limit;
 * what goes beyond it is dropped and counted. A stream that breaks is opened again, with back-off; records that were on the wire
 * when it broke may be lost, which who reads them sees by the hops that are missing.
 */
export function sendRecords(options: SendRecordsOptions): RecordSender {
  const queue = new RecordQueue(options.limit);
  const client = createClient(LabServiceService, options);
  const stopping = new AbortController();
  const giveUp = new AbortController();

  const stream = async () => {
    const over = new AbortController();
    const messages = batches(options, queue, over.signal, stopping.signal);
    const limits = { deadline: deadlineIn(2 * STREAM_MS), signal: giveUp.signal };
    await client.reportRecords(messages, limits).finally(() => over.abort());
  };
  const sendAll = async () => {
    for (let waitMs: number = BACK_OFF_MS[0]; !stopping.signal.aborted; ) {
      const openedAt = performance.now();
      const failure = await stream().then(
        () => undefined,
        (error: Error) => error,
      );
      if (stopping.signal.aborted) return;
      if (performance.now() - openedAt > BACK_OFF_MS[1]) waitMs = BACK_OFF_MS[0];
      if (!failure) continue;
      options.logger.debug({ says: failure.message, waitMs }, 'records cannot be sent');
      await pause(waitMs * (0.5 + Math.random() / 2), stopping.signal).catch(() => {});
      waitMs = Math.min(2 * waitMs, BACK_OFF_MS[1]);
    }
  };
  const sent = sendAll();
  return {
    sink: queue.add,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      const timer = setTimeout(() => giveUp.abort(), FLUSH_MS);
      await sent;
      clearTimeout(timer);
      client[Symbol.dispose]();
    },
  };
}

/**
 * What one stream says: first who it is, then records as they come, and a sign of life each second. Ends when the process stops,
 * with what is left, and takes nothing from the queue when the stream is `over`.
 */
async function* batches(
  { service, pod }: SendRecordsOptions,
  queue: RecordQueue,
  over: AbortSignal,
  stopping: AbortSignal,
): AsyncGenerator<ReportRecordsRequest> {
  const message = (count: number): ReportRecordsRequest => {
    const { user, system } = process.cpuUsage();
    const [records, droppedCount] = [queue.take(count), BigInt(queue.dropped)];
    return { service, pod, records, droppedCount, cpuUs: BigInt(user + system), sampledAt: preciseNow() };
  };
  const either = AbortSignal.any([over, stopping]);
  const endAt = performance.now() + STREAM_MS;
  yield message(0);
  while (!either.aborted && performance.now() < endAt) {
    await queue.whenFilled(SILENCE_MS, either);
    if (queue.length > 0 && queue.length < TOGETHER) await pause(GATHER_MS, either).catch(() => {});
    if (!over.aborted) yield message(TOGETHER);
  }
  while (!over.aborted && queue.length > 0) yield message(TOGETHER);
}
