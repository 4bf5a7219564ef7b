import type { Description } from '../../scenario.ts';
import { ROUTE_TIMEOUT_MS } from './route-timeout.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'Who ends a call that takes long: its caller’s deadline, or a proxy on its way, and what is the caller told?',
  method:
    'PlaceOrder goes from storefront to orders to payments, which is told to take long, but less long than the deadline allows. ' +
    'In one arm each Envoy reads the deadline that comes with the call; in another payments takes longer than that. In the ' +
    `control the routes have a time-out of ${ROUTE_TIMEOUT_MS} ms instead, which stands for the 15 s that Envoy gives a route that says nothing.`,
  reading:
    'DEADLINE_EXCEEDED says that the caller’s time is over. With time-outs of their own these proxies say so when it is not: the caller ' +
    'sees what was left of its deadline, and to raise the deadline changes nothing. By default Envoy says UNAVAILABLE instead, which ' +
    'invites callers to repeat what would last as long again. “Ended between the hops” counts calls that no service ended: each was told ' +
    'of a cancellation that its caller never made.',
  limits: [
    'The 15 s themselves: a shorter time-out shows the same sooner.',
    'Streams, which a route’s time-out cuts as well, however lively they are.',
    'Calls without any deadline; the routes of this mesh give them one.',
    'Proxies other than Envoy, and Envoys that answer a time-out with UNAVAILABLE, as they do by default; these are told not to.',
  ],
};
