import type { IncomingHttpHeaders } from 'node:http';
import { OPEN_METRICS, PROMETHEUS_TEXT } from './metrics.ts';

/** One member of a header such as Accept. */
interface Preference {
  /** "text/plain", "gzip" or "*", in lower case. */
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** How much it is wanted, 0 to 1. */
  readonly quality: number;
}

/** The versions of each format that a client may ask for; it may also leave that open. */
const VERSIONS = { 'application/openmetrics-text': ['1.0.0', '0.0.1'], 'text/plain': ['0.0.4'] } as const;

/**
 * The format in which a client wants metrics, chosen as Prometheus' own libraries do: the most wanted that is known, whatever its
 * other parameters, such as `escaping`; the text format when there is none, never an error.
 *
 * @returns a content type of prom-client
 * @see https://github.com/prometheus/common/blob/main/expfmt/encode.go (NegotiateIncludingOpenMetrics)
 */
export function negotiateFormat({ accept }: IncomingHttpHeaders): typeof OPEN_METRICS | typeof PROMETHEUS_TEXT {
  for (const { name, parameters } of preferences(accept)) {
    const versions: readonly string[] = VERSIONS[name as keyof typeof VERSIONS] ?? [];
    const version = parameters.get('version');
    if (versions.length === 0 || (version !== undefined && !versions.includes(version))) continue;
    return name === 'text/plain' ? PROMETHEUS_TEXT : OPEN_METRICS;
  }
  return PROMETHEUS_TEXT;
}

/** Whether a client wants its answer by gzip more than as it is. */
export function wantsGzip(headers: IncomingHttpHeaders): boolean {
  const wanted = preferences(headers['accept-encoding'], true);
  const qualityOf = (coding: string) =>
    (wanted.find(({ name }) => name === coding) ?? wanted.find(({ name }) => name === '*'))?.quality ?? 0;
  return qualityOf('gzip') > qualityOf('identity');
}

/** What a header lists, the most wanted first; what is not wanted at all is left out unless `refused`. */
function preferences(header: string | string[] | undefined, refused = false): Preference[] {
  return String(header ?? '')
    .split(',')
    .map(parse)
    .filter(({ quality }) => refused || quality > 0)
    .sort((a, b) => b.quality - a.quality);
}

function parse(member: string): Preference {
  const [name = '', ...rest] = member.split(';').map(part => part.trim());
  const pairs = rest
    .map(part => part.split('='))
    .map(([key = '', value = '']) => [key.trim().toLowerCase(), unquoted(value)] as const);
  const parameters = new Map(pairs);
  const quality = Number(parameters.get('q') ?? 1);
  return { name: name.toLowerCase(), parameters, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

function unquoted(value: string): string {
  return value.trim().replace(/^"(.*)"$/, '$1');
}
