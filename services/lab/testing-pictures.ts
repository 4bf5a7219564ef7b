import type { CallRecord } from '../kit/record.ts';
import type { CallPicture } from './call-picture.ts';

/** A record of a test: served from 10 to 20 ms by the first pod of a service that there is not, unless said otherwise. */
export function record(method: string, more: Partial<CallRecord> = {}): CallRecord {
  return {
    run: 'test/0',
    method: `telltale.test.v1.TestService/${method}`,
    pod: 'test-1',
    peer: '127.0.0.1:1000',
    attempt: 1,
    arrivedAt: 10,
    budgetMs: 100,
    status: 'OK',
    endedAt: 20,
    stoppedAt: 20,
    ...more,
  };
}

/** A call of a test: due and begun at 0, ended at 30 ms with OK, unless said otherwise. */
export function picture(hops: readonly CallRecord[], more: Partial<CallPicture> = {}): CallPicture {
  return { id: 'test/0', dueAt: 0, begunAt: 0, endedAt: 30, status: 'OK', hops, ...more };
}
