import { status } from '@grpc/grpc-js';
import type { CallRecord } from '../kit/record.ts';
import { RpcError } from '../kit/rpc-error.ts';
import { share } from './measure/statistics.ts';

/** How a call ended for the one who made it. */
export interface CallEnd {
  /** The canonical code as a name: "OK", "DEADLINE_EXCEEDED". */
  readonly status: string;
  /** What the answer said for programs, and when to try again; undefined when it said nothing. */
  readonly reason?: string;
  readonly retryAfterMs?: number;
}

/** One call of a run: what the lab saw of it, and what each hop did. Times are milliseconds since the epoch. */
export interface CallPicture extends CallEnd {
  /** The mark of the call, which is the `run` of its records. */
  readonly id: string;
  readonly dueAt: number;
  readonly begunAt: number;
  readonly endedAt: number;
  /** What the hops saw, in the order in which the call reached them. */
  readonly hops: readonly CallRecord[];
}

/** How a promise of an answer ended; never rejects. */
export function endOfCall(answer: Promise<unknown>): Promise<CallEnd> {
  return answer.then(
    () => ({ status: 'OK' }),
    (error: unknown) => {
      if (!(error instanceof RpcError)) throw error;
      const { code, reason, retryAfterMs } = error;
      return { status: status[code] ?? String(code), reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    },
  );
}

/** The records of the hop that served a method, by its last name: "Charge". More than one when it was attempted again. */
export function hopsOf({ hops }: Pick<CallPicture, 'hops'>, method: string): readonly CallRecord[] {
  return hops.filter(hop => hop.method.endsWith(`/${method}`));
}

/** Whether each of these methods has left a record. */
export function isComplete(picture: CallPicture, methods: readonly string[]): boolean {
  return methods.every(method => hopsOf(picture, method).length > 0);
}

/** The share of calls that ended with this status. */
export function endedWith(pictures: readonly CallPicture[], name: string): number {
  return share(pictures, ({ status }) => status === name);
}

/** How long each call took from when it was due, in milliseconds. */
export function waitsOf(pictures: readonly CallPicture[]): number[] {
  return pictures.map(({ dueAt, endedAt }) => endedAt - dueAt);
}

/** How long each call took from when it was begun, in milliseconds. */
export function durationsOf(pictures: readonly CallPicture[]): number[] {
  return pictures.map(({ begunAt, endedAt }) => endedAt - begunAt);
}

/** How long handlers worked for nobody: what each did after the caller had its answer or had given up, added up, in milliseconds. */
export function wastedMs({ endedAt, hops }: CallPicture): number {
  return hops.reduce((total, hop) => total + Math.max(0, hop.stoppedAt - Math.max(hop.arrivedAt, endedAt)), 0);
}

/** How often each hop reported each status: by method, then by status. */
export function reportsOf(pictures: readonly CallPicture[]): Record<string, Record<string, number>> {
  const reports: Record<string, Record<string, number>> = {};
  for (const hop of pictures.flatMap(({ hops }) => hops)) {
    reports[hop.method] ??= {};
    const statuses = reports[hop.method] ?? {};
    statuses[hop.status] = (statuses[hop.status] ?? 0) + 1;
  }
  return reports;
}

/** How often calls ended with each status. */
export function statusesOf(pictures: readonly CallPicture[]): Record<string, number> {
  const statuses: Record<string, number> = {};
  for (const { status } of pictures) statuses[status] = (statuses[status] ?? 0) + 1;
  return statuses;
}
