import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { CallRecord } from '../../proto/gen/telltale/lab/v1/record.ts';
import { logRecords } from './record.ts';

test('logRecords writes a line for a record at debug, and none at info', async () => {
  for (const [level, expected] of [
    ['info', []],
    ['debug', ['lab-1/0']],
  ] as const) {
    const lines: string[] = [];
    const record = CallRecord.create({ run: 'lab-1/0' });
    logRecords(pino({ level }, { write: line => lines.push(line) }))(record);
    await setImmediate();
    assert.deepEqual(
      lines.map(line => JSON.parse(line).call.run),
      expected,
    );
  }
});
