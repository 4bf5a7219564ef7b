import type { Metadata } from '@grpc/grpc-js';
import { type CallPicture, hopsOf } from './call-picture.ts';

/** Says which connection a call came by: the number that the lab's sidecar gave it, then that of the one it went on by. */
const CONNECTION_KEY = 'telltale-egress-connection';

/** The connection from the lab that each call came by, by the call's id; calls that the sidecar has not answered have none. */
export type Connections = ReadonlyMap<string, string>;

/** Follows which connections calls come by, as the lab's sidecar says in its answers. */
export function followConnections(): { readonly connections: Connections; note(id: string): (answer: Metadata) => void } {
  const connections = new Map<string, string>();
  const note = (id: string) => (answer: Metadata) => {
    const [both] = answer.get(CONNECTION_KEY);
    if (both !== undefined) connections.set(id, String(both).split('/')[0] ?? '');
  };
  return { connections, note };
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
