import type { ArmResult, Result } from './result.ts';

const counts = { OK: 3 };
const latency = { n: 3, p50: 1, p90: 1, p99: 1, max: 1.5 };
const arm: ArmResult = {
  name: 'one',
  title: 'the one',
  control: false,
  repetitions: 2,
  figures: { ms: { median: 1, min: null, max: 2, values: [1, null] } },
  statuses: counts,
  reports: { 'telltale.test.v1.TestService/Wait': counts },
  connections: { Wait: 1 },
  latencyMs: latency,
  latenessMs: latency,
  loopDelayMs: latency,
  cpu: { labPerCallUs: 100, servicesPerCallUs: { users: 50 }, saturated: null },
};
/** A result document with everything that one can have. */
export const sampleResult: Result = {
  schemaVersion: 1,
  id: 'fake-20260203-040506-4000',
  scenario: 'fake',
  claim: { says: 'it is so', by: 'the tests' },
  startedAt: '2026-02-03T04:05:06.789Z',
  finishedAt: '2026-02-03T04:05:07.000Z',
  parameters: { rate: 1, arrivals: 'fixed' },
  figures: { ms: { title: 'Time', unit: 'ms' } },
  arms: [arm, { ...arm, name: 'other', control: true, latencyMs: undefined, latenessMs: undefined, loopDelayMs: undefined }],
  headline: {
    figure: 'ms',
    arm: 'one',
    control: 'other',
    armMedian: 1,
    controlMedian: null,
    ratio: null,
    effect: null,
    noise: 0,
  },
  checks: [{ says: 'it is', passed: true, observed: '1' }],
  verdict: { kind: 'holds', sentence: 'It is so.' },
  passed: true,
  conditions: {
    versions: { node: '26.0.0' },
    mode: 'local',
    cores: 2,
    platform: 'test',
    calls: 3,
    completeCalls: 3,
    droppedRecords: 0,
    notTested: ['all else'],
  },
};
