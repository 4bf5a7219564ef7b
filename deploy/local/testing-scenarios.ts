/** As little load as shows something. */
export const QUICK = { rate: '10', seconds: '2', repetitions: '2' };

/** Scenarios that need other settings to be quick. */
const OTHERS: Record<string, Record<string, string>> = {
  // enough calls that one of a hundred may be late
  cancellation: { ...QUICK, rate: '30', seconds: '4' },
  'failure-codes': { ...QUICK, seconds: '1' },
  'channel-per-call': { ...QUICK, rate: '100' },
  multiplexing: { rate: '200', seconds: '1', repetitions: '2', work: '1200', patience: '3000' },
  'stream-cap': { ...QUICK, rate: '300', seconds: '1', work: '700' },
  payload: { rate: '2', seconds: '1', repetitions: '2' },
  // the first one is of code that has not been compiled yet
  streaming: { rate: '1', seconds: '1', repetitions: '3' },
  'proxy-timeout': { ...QUICK, seconds: '1' },
  // as long as a rollout takes, and enough calls under way that a killed pod loses some
  drain: { ...QUICK, rate: '100', seconds: '30' },
};

/** The parameters by which a scenario shows what it shall in little time. */
export const quickSettings = (scenario: string): Record<string, string> => OTHERS[scenario] ?? QUICK;
