import type { Description } from '../../scenario.ts';
import { BASE } from './figures.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'A service gets more pods while it is called: who gets the calls?',
  method:
    `users has ${BASE} pods, and is called. Then it gets more, and is called on, by the same channel, once these are ready. In one arm ` +
    'all calls go by one connection to the lab’s own Envoy, which gives them to the pods in turn. In the others the lab calls the pods itself, past ' +
    'its Envoy, by mutual TLS: in turn by a connection to each address that it has got (round_robin), or, as gRPC does by itself, ' +
    'by one connection to the first of them (pick_first). In a cluster it gets the addresses from DNS, and in one more control ' +
    'there is only one, that of a Service which is not headless: there the kernel chooses a pod for the connection. Locally there ' +
    'is neither; the addresses are those that the Kubernetes API says when the channel is opened.',
  reading:
    'How busy the busiest pod is, in times of its share: 1 is even; with one pod for all calls it is the number of pods. A new pod ' +
    'has got its share when half of what would be fair has come to it within a second; where that never happens, the time is all ' +
    'that there was. Round robin in the caller is as even as Envoy over the pods that it knows, and needs no proxy. But grpc-js asks ' +
    'for addresses only when a connection breaks, so that new pods are not found while all is well. Envoy asks DNS every 2 s; how ' +
    'long a new pod waits is mostly how long DNS answers from a cache.',
  limits: [
    'Many callers: an L4 Service spreads their connections by chance, which is even only when there are very many.',
    'Servers that end connections when they are old, after which callers ask DNS again: new pods then get calls that late.',
    'Calls that differ in what they take: taking turns is even in calls, not in work.',
    'Pods that go: the scenario drain.',
    'Locally, DNS: a list of addresses that does not change could not lead to a new pod.',
  ],
};
