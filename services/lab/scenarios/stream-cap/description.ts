import type { Description } from '../../scenario.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'Where do calls wait that one connection cannot carry, and who knows of it?',
  method:
    'More calls of GetUser are begun than one connection may carry at a time (SETTINGS_MAX_CONCURRENT_STREAMS, 100 here), each ' +
    'with the same deadline. In the control one channel gets them all. In one arm they are shared out to several channels, each ' +
    'with a connection of its own; in the other the caller knows the limit and lets calls wait before it begins them.',
  reading:
    'grpc-timeout is written when a call is begun, and the call then waits within the HTTP/2 client: the callee believes in a ' +
    'deadline that is later than its caller’s by this wait, and that is the first figure. What a call takes is given in ' +
    'multiples of what users was told to take: “by the callee” is what its dashboards show, “by the caller” is what the caller ' +
    'waits. A caller that knows the limit is not faster, but what it sends is true, and it can refuse or shed what waits.',
  limits: [
    'Limits that change while a connection is open.',
    'Proxies that open a second connection by themselves, as Envoy does for its own calls; grpc-js does not.',
    'Clocks of different nodes are compared in a cluster of several; on one machine there is one clock.',
  ],
};
