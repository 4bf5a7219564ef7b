/** A bar of a chart. */
export interface Bar {
  readonly label: string;
  /** Not negative; null when there is nothing to draw. */
  readonly value: number | null;
  /** What stands behind it. */
  readonly text: string;
}

/** How many characters the longest bar has. */
const WIDTH = 40;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Bars one below the other, the longest 40 characters, each to an eighth of a character; a value above 0 is never without a mark. */
export function barChart(bars: readonly Bar[]): string {
  const largest = Math.max(...bars.map(({ value }) => value ?? 0));
  const widest = Math.max(...bars.map(({ label }) => label.length));
  const barOf = (value: number) => {
    const eighths = largest > 0 ? Math.max(value > 0 ? 1 : 0, Math.round((value / largest) * WIDTH * 8)) : 0;
    return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  };
  return bars.map(({ label, value, text }) => `  ${label.padEnd(widest)}  ${barOf(value ?? 0)} ${text}`).join('\n');
}
