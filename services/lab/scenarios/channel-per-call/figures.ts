import { type CallPicture, endedWith, waitsOf } from '../../call-picture.ts';
import { type Connections, countConnections } from '../../connections.ts';
import { quantile } from '../../measure/statistics.ts';
import type { Figure, Figures } from '../../scenario.ts';

/** What each repetition of an arm gives. */
export const figures = {
  connections: { title: 'Connections per call', unit: '' },
  cpu: { title: 'CPU of the caller per call', unit: 'µs' },
  p50: { title: 'Answered after, median', unit: 'ms', latency: true },
  p99: { title: 'Answered after, p99', unit: 'ms', latency: true },
  segments: { title: 'TCP segments per call, all hops', unit: '' },
  answered: { title: 'Calls answered', unit: 'share' },
} satisfies Record<string, Figure>;

/** The figures of one repetition, and of what the load took: CPU of the caller in microseconds, and TCP segments. */
export function figuresOf(
  pictures: readonly CallPicture[],
  connections: Connections,
  { cpu, segments }: { readonly cpu: number; readonly segments: number },
): Figures<keyof typeof figures> {
  const waits = waitsOf(pictures);
  return {
    cpu: cpu / pictures.length,
    p50: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
    connections: countConnections(pictures, connections) / pictures.length,
    segments: segments / pictures.length,
    answered: endedWith(pictures, 'OK'),
  };
}
