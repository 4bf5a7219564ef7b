import type { Description } from '../../scenario.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'What do many items cost as separate calls, and what as one stream?',
  method:
    'Every arm fetches the same orders: by one GetOrder for each, some of them at the same time; by one ListOrders; or by one ' +
    'LookupOrders, which sends an id for each order.',
  reading:
    'Each batch runs alone, so items per second and CPU per item are those of the batch. ListOrders also reads a page at a time from ' +
    'the database. LookupOrders looks up each item, as GetOrder does, and is therefore the fair comparison. A stream has its price: ' +
    'one deadline and one status for all items, answers that are matched to requests by their order, no retry of a single item, and ' +
    'one pod that serves all of it.',
  limits: [
    'REST: for small unary calls in Node HTTP/1.1 is several times faster than gRPC, so the gain of a stream over REST is far smaller than its gain over unary gRPC.',
    'Streams that stay open for hours, and items that trickle: latency, keepalive and draining.',
    'The CPU of the proxies, which is saved with the calls, too.',
    'Readers that are slower than the server: the scenario flow-control.',
  ],
};
