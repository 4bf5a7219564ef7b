import * as grafana from '@grafana/grafana-foundation-sdk/units';

/** The units of the panels, by Grafana's ids; a fixed suffix where Grafana has no word that fits. */
export const units = {
  callsPerSecond: 'suffix: calls/s',
  perSecond: 'suffix: /s',
  calls: 'suffix: calls',
  count: grafana.Short,
  ratio: 'suffix: ×',
  /** From 0 to 100. */
  percent: grafana.Percent,
  /** From 0 to 1. */
  share: grafana.PercentUnit,
  seconds: grafana.Seconds,
  milliseconds: grafana.Milliseconds,
  bytes: grafana.BytesIEC,
} as const;
