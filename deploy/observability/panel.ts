import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  type DashboardLinkBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  PanelBuilder as Heatmap,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import type { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import { type Query, targets } from './query.ts';
import { units } from './units.ts';
import { prometheus } from './variables.ts';

/** A panel that is not placed yet. */
export type PanelBuilder = TimeSeries | Stat | Heatmap | Table;

/** What every panel must say. */
export interface About {
  readonly title: string;
  /** How to read it: what a line, a row, a number is. */
  readonly reads: string;
  /** What is good, and what a bad value means. */
  readonly good: string;
  /** One of {@link units}. */
  readonly unit: string;
  /** Columns of 24; each kind has its own default. */
  readonly width?: number;
  /** Where its values lead to. */
  readonly links?: readonly DashboardLinkBuilder[];
}

/** A panel of numbers: those at which it turns from green to orange and to red. */
export interface Limits {
  readonly warning?: number;
  readonly bad?: number;
  /** Whether less is worse; false by default. */
  readonly falling?: boolean;
}

export interface TimeSeriesOptions extends About {
  readonly queries: readonly Query[];
  /** Draws the series on top of each other: for parts of a whole. */
  readonly stacked?: boolean;
  /** The colour of a series by its name; a palette gives the others theirs. */
  readonly colours?: Readonly<Record<string, string>>;
  /** Draws a dashed line where it gets bad. */
  readonly limit?: number;
}

/** Lines over time. */
export function timeSeries(options: TimeSeriesOptions): TimeSeries {
  const { queries, stacked = false, colours = {}, limit } = options;
  const panel = describe(new TimeSeries(), options, 12, 8)
    .targets(targets(queries, PromQueryFormat.TimeSeries))
    .min(0)
    .lineWidth(1)
    .fillOpacity(stacked ? 40 : 5)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending));
  if (stacked) panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  if (limit !== undefined) {
    panel.thresholds(steps({ bad: limit }));
    panel.thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed));
  }
  for (const [name, fixedColor] of Object.entries(colours))
    panel.overrideByName(name, [{ id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor } }]);
  return panel;
}

export interface StatOptions extends About {
  readonly query: Query;
  readonly limits?: Limits;
}

/** One number, the last one, with its course behind it. */
export function stat(options: StatOptions): Stat {
  const { query, limits } = options;
  return describe(new Stat(), options, 4, 4)
    .targets(targets([query], PromQueryFormat.TimeSeries))
    .thresholds(steps(limits ?? {}))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .colorMode(common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.Area)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false));
}

export interface HeatmapOptions extends About {
  /** Sums the buckets of a histogram by `le`. */
  readonly query: Query;
}

/** How many calls fell into which bucket, over time; the unit is that of the buckets. */
export function heatmap(options: HeatmapOptions): Heatmap {
  return describe(new Heatmap(), options, 12, 8)
    .targets(targets([options.query], PromQueryFormat.Heatmap))
    .calculate(false)
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Blues').reverse(true).steps(64))
    .exemplarsColor('rgba(255, 120, 10, 0.9)')
    .yAxis(new YAxisConfigBuilder().unit(options.unit))
    .showLegend();
}

/** Gives a panel what all have: its words, its unit, its links, Prometheus by variable. */
export function describe<Panel extends PanelBuilder>(panel: Panel, about: About, width: number, height: number): Panel {
  panel.title(about.title).description(`${about.reads}\n\n**Good:** ${about.good}`).unit(about.unit).datasource(prometheus);
  panel.span(about.width ?? width).height(height);
  if (about.links !== undefined) panel.dataLinks([...about.links]);
  return panel;
}

/** Green, orange and red at `limits`. */
export function steps({ warning, bad, falling = false }: Limits): ThresholdsConfigBuilder {
  const [first, last] = falling ? ['red', 'green'] : ['green', 'red'];
  const [lower, upper] = falling ? [bad, warning] : [warning, bad];
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([
      { value: null, color: first },
      ...(lower === undefined ? [] : [{ value: lower, color: 'orange' }]),
      ...(upper === undefined ? [] : [{ value: upper, color: last }]),
    ]);
}
