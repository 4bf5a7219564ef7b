import { RESULT_VERSION, type Result } from './result.ts';

const figure = (...values: number[]) => ({
  median: values[0] ?? null,
  min: values[0] ?? null,
  max: values.at(-1) ?? null,
  values,
});
/** An arm of a test, with these milliseconds in its repetitions. */
export const armResult = (name: string, control: boolean, ...values: number[]): Result['arms'][number] => ({
  name,
  title: `the arm ${name}`,
  control,
  repetitions: 2,
  figures: { ms: figure(...values) },
  statuses: { OK: 4 },
  reports: {},
  connections: {},
  latencyMs: { n: 4, p50: 1, p90: 2, p99: 3, max: 4 },
  latenessMs: { n: 4, p50: 0.1, p90: 0.2, p99: 0.3, max: 0.4 },
  loopDelayMs: undefined,
  cpu: { labPerCallUs: 12, servicesPerCallUs: { orders: 34 }, saturated: null },
});

/** The result of a test: an arm that is fast, and a control that is not. */
export function resultOf(scenario: string, more: Partial<Result> = {}): Result {
  return {
    schemaVersion: RESULT_VERSION,
    id: `${scenario}-20260101-000000-0000`,
    scenario,
    claim: { says: `${scenario} is claimed`, by: 'the tests' },
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:01:00.000Z',
    parameters: { rate: 20 },
    figures: { ms: { title: 'Time', unit: 'ms' } },
    arms: [armResult('fast', false, 1, 2), armResult('slow', true, 100, 110)],
    headline: {
      figure: 'ms',
      arm: 'fast',
      control: 'slow',
      armMedian: 1,
      controlMedian: 100,
      ratio: 0.01,
      effect: 99,
      noise: 10,
    },
    checks: [{ says: 'fast is fast', passed: true, observed: '1 ms' }],
    verdict: { kind: 'holds', sentence: 'It holds here.' },
    passed: true,
    conditions: {
      versions: { node: '26.0.0' },
      mode: 'local',
      cores: 2,
      platform: 'test',
      calls: 8,
      completeCalls: 8,
      droppedRecords: 0,
      notTested: ['The other thing.'],
    },
    ...more,
  };
}
