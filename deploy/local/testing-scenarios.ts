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
  // as long as new pods take to start, and Envoy to find them
  balancing: { ...QUICK, rate: '100', seconds: '20', wait: '3' },
};

/** And those that need others where Envoys find pods by DNS, which answers from a cache for some seconds. */
const BY_DNS: Record<string, Record<string, string>> = {
  balancing: { wait: '8' },
};

/** The parameters by which a scenario shows what it shall in little time. */
export const quickSettings = (scenario: string, discovery: 'file' | 'dns' = 'file'): Record<string, string> => ({
  ...(OTHERS[scenario] ?? QUICK),
  ...(discovery === 'dns' && BY_DNS[scenario]),
});
