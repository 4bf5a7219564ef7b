import type { Description } from '../../scenario.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'What do handlers further down do when the caller has given up?',
  method:
    'PlaceOrder goes from storefront to orders to payments, which is told to take longer than the deadline allows. In one arm the ' +
    'deadline and the cancellation go along with every call; in the control storefront and orders call on without them, as a ' +
    'service does that does not hand them on.',
  reading:
    '“Work for nobody” is what all handlers of a call did, added up, after its caller had its answer: a slot, memory and CPU of ' +
    'three services. It is one figure per call; the ratio of the arms says how much of it propagation saves.',
  limits: [
    'Handlers here wait and compute little: time that is held, not CPU, is what is counted.',
    'Clocks of different nodes are compared in a cluster of several; on one machine there is one clock.',
    'Other languages than TypeScript.',
  ],
};
