import type { Description } from '../../scenario.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'What does the sample of the design guide pay that makes a channel for every call?',
  method:
    'GetUser of user 123, as in the sample, at the same rate in both arms: on one channel that is always there, and, as in the ' +
    'sample, on a channel that is made for the call and closed after it. With its last channel grpc-js closes the connection, ' +
    'so that each call opens one.',
  reading:
    'The CPU is that of the caller, per call, with everything it does meanwhile: the more calls a second, the more of it is of ' +
    'the calls, and the nearer the ratio of the arms is to that of the calls alone. The connection is one of plain TCP to the ' +
    'sidecar next door, the cheapest there is: with TLS, or over a network, each new one costs round trips and a handshake ' +
    'besides.',
  limits: [
    'TLS and networks, which make new connections dearer.',
    'What many connections that come and go cost the other side: the sidecar here takes them, not the service.',
    'Other clients than grpc-js; the sample is in Python, whose channels are those of the core in C.',
    'Calls that overlap: channels with equal options that are open at the same time share a connection; here each has its own.',
    'TCP segments are counted by the kernel for all of a pod, locally for all of the machine: they are shown, not checked.',
  ],
};
