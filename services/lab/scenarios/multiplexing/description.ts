import type { Description } from '../../scenario.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'A caller needs four hundred answers at once: how many has it in time, and over how many connections?',
  method:
    'Four hundred calls of GetUser begin in the same moment; users takes so long that all of them are under way together, and ' +
    'callers wait three times as long. In one arm gRPC makes them on the one connection of its channel. In the others they go by ' +
    'HTTP/1.1, which carries one call at a time: over as many connections as there are calls, over six as browsers do, and over ' +
    'one. It is the same message to the same pods by the same proxies, of which the first speaks both, and takes as many calls ' +
    'on one connection as come. All connections are open before the calls that count.',
  reading:
    'Connections are counted on the whole way: those of the caller, and those from its proxy to the proxies of users, once as ' +
    'the one end numbers them and once as the other does. Envoy goes on by HTTP/2 whatever has come, so four hundred connections ' +
    'become a few there; not one, because each carries 100 calls at most, and users has two pods. How many calls one connection of ' +
    'the caller had at once is counted where they were served. With a connection for each call HTTP/1.1 waits for nobody either; ' +
    'which of the two is then faster is a matter of CPU, not of multiplexing, and in Node HTTP/1.1 takes less of it for small ' +
    'calls: without proxies several times less. See the CPU of the lab in each arm.',
  limits: [
    'More calls at once than one connection may carry: those wait in the caller, as `stream-cap` shows.',
    'Packet loss, which on one connection delays all calls, and on many only some.',
    'JSON: HTTP/1.1 here carries the same Protocol Buffers, so that only the protocol differs.',
    'TCP segments are counted by the kernel for all of a pod, locally for all of the machine: what else goes on adds to them.',
  ],
};
