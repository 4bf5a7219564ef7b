import { type CallPicture, endedWith, waitsOf } from '../../call-picture.ts';
import { countConnections, type FollowedConnections, mostAtOnce } from '../../connections.ts';
import { quantile } from '../../measure/statistics.ts';
import type { Figure, Figures } from '../../scenario.ts';

/** What each repetition of an arm gives. */
export const figures = {
  answered: { title: 'Calls answered in time', unit: 'share' },
  p50: { title: 'Answered or given up after, median', unit: 'ms', latency: true },
  p99: { title: 'Answered or given up after, p99', unit: 'ms', latency: true },
  asked: { title: 'Calls begun at once', unit: 'calls' },
  atOnce: { title: 'Calls at once on one connection, most', unit: 'calls' },
  connections: { title: 'Connections of the caller', unit: '' },
  onward: { title: 'Connections from its proxy on', unit: '' },
  arrived: { title: 'The same, as the proxies of users count', unit: '' },
  segments: { title: 'TCP segments per call, all hops', unit: '' },
} satisfies Record<string, Figure>;

/** The figures of one repetition: of bursts of so many calls, the connections that they came by, and the TCP segments of all hops. */
export function figuresOf(
  pictures: readonly CallPicture[],
  { connections, onward, arrived }: Omit<FollowedConnections, 'note'>,
  { asked, segments }: { readonly asked: number; readonly segments: number },
): Figures<keyof typeof figures> {
  const waits = waitsOf(pictures);
  return {
    asked,
    onward: countConnections(pictures, onward),
    arrived: countConnections(pictures, arrived),
    p50: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
    connections: countConnections(pictures, connections),
    atOnce: mostAtOnce(pictures, connections, 'GetUser'),
    segments: segments / pictures.length,
    answered: endedWith(pictures, 'OK'),
  };
}
