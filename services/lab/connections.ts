import type { Metadata } from '@grpc/grpc-js';
import { type CallPicture, hopsOf } from './call-picture.ts';
import { chosenPod } from './mesh.ts';

/** Say which connection a call came to a proxy by, and then by which it went on: to the lab's own, and to that of the pod that served it. */
const [EGRESS_KEY, INGRESS_KEY] = ['telltale-egress-connection', 'telltale-ingress-connection'];

/** A connection of each call, by the call's id; calls of which the proxies have not said it have none. */
export type Connections = ReadonlyMap<string, string>;

/** The connections of calls on their way. */
export interface FollowedConnections {
  /** From the lab to its sidecar. */
  readonly connections: Connections;
  /** From there to the pod that served the call: by the numbers that the one proxy has given them, and by those of the other. */
  readonly onward: Connections;
  readonly arrived: Connections;
  /** Gives what is to be told the metadata of the answer to a call. */
  note(id: string): (answer: Metadata) => void;
}

/** Follows which connections calls come by, as the proxies say in their answers. */
export function followConnections(): FollowedConnections {
  const [connections, onward, arrived] = [new Map<string, string>(), new Map<string, string>(), new Map<string, string>()];
  const note = (id: string) => (answer: Metadata) => {
    const [own, next] = numbersOf(answer, EGRESS_KEY);
    const [last] = numbersOf(answer, INGRESS_KEY);
    if (own) connections.set(id, own);
    if (next) onward.set(id, next);
    if (last) arrived.set(id, `${chosenPod(answer)} ${last}`); // each proxy counts its own
  };
  return { connections, onward, arrived, note };
}

function numbersOf(answer: Metadata, key: string): string[] {
  return String(answer.get(key)[0] ?? '').split('/');
}

/** How many connections these calls came by. */
export function countConnections(pictures: readonly CallPicture[], connections: Connections): number {
  return new Set(pictures.flatMap(({ id }) => connections.get(id) ?? [])).size;
}

/** The most calls that came by one connection and were served by the method at the same time; 0 when that is not known of any. */
export function mostAtOnce(pictures: readonly CallPicture[], connections: Connections, method: string): number {
  const known = pictures.filter(({ id }) => connections.has(id));
  const shared = [...Map.groupBy(known, ({ id }) => connections.get(id)).values()];
  return Math.max(0, ...shared.map(those => mostOverlapping(those.flatMap(picture => hopsOf(picture, method)))));
}

function mostOverlapping(served: readonly { arrivedAt: number; endedAt: number }[]): number {
  const edges = served.flatMap(({ arrivedAt, endedAt }) => [
    { at: arrivedAt, more: 1 },
    { at: endedAt, more: -1 },
  ]);
  let [now, most] = [0, 0];
  for (const { more } of edges.sort((a, b) => a.at - b.at || a.more - b.more)) {
    now += more;
    most = Math.max(most, now);
  }
  return most;
}
