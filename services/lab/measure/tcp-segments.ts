import { readFileSync } from 'node:fs';

/**
 * How many TCP segments the kernel has sent until now in this network namespace: in a cluster those of this pod, on one machine those
 * of everything that runs there. NaN where the kernel does not say: it is Linux's count (tcpOutSegs of RFC 4022).
 */
export function tcpSegments(file = '/proc/net/snmp'): number {
  const [names = [], values = []] = linesOf(file).filter(([kind]) => kind === 'Tcp:');
  return Number(values[names.indexOf('OutSegs')] ?? Number.NaN);
}

function linesOf(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map(line => line.split(' '));
  } catch {
    return [];
  }
}
