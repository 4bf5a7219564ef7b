import type { Description } from '../../scenario.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'When the caller hangs up, when does the last handler below stop?',
  method:
    'GetProfile asks users and orders at the same time, both told to take long, and its caller cancels. In one arm storefront ' +
    'hands the cancellation on; in the control it calls on without it.',
  reading:
    'The figures are the time from the cancellation until the last leaf has stopped: the median, and what 99 of 100 calls stay ' +
    'below. The control shows how long leaves would have gone on. “Work for nobody” is what all handlers of a call did, added ' +
    'up, after their caller had hung up.',
  limits: [
    'Handlers that never look at their signal: cancellation tells a handler, it does not end it.',
    'Clocks of different nodes are compared in a cluster of several; on one machine there is one clock.',
    'Callers that vanish without a reset (a cut cable): those are found by keepalive.',
  ],
};
