import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { unitText } from '../cli/result-text.ts';
import type { Result } from '../result.ts';
import { Markup } from './html.ts';

/** The colours of the arms and of the controls, which can be told apart without seeing colours, too. */
const [ARM, CONTROL] = ['#1f77b4', '#a0a0a0'];

/**
 * The headline of a result as a picture (SVG) that stands by itself: a bar for the median of each arm, a dot for each repetition;
 * undefined when nothing was measured. Arms that do not have the figure are left out.
 */
export async function headlineChart({ headline, figures, arms }: Result): Promise<Markup | undefined> {
  const { title = headline.figure, unit = '' } = figures[headline.figure] ?? {};
  const measured = arms.flatMap(({ name, control, figures }) => {
    const figure = figures[headline.figure];
    return figure && figure.median !== null ? [{ arm: name, kind: control ? 'control' : 'arm', ...figure }] : [];
  });
  if (measured.length === 0) return undefined;
  const y = { field: 'arm', type: 'nominal', sort: null, title: null } as const;
  const x = { type: 'quantitative', title: unitText(title, unit) } as const;
  const spec: TopLevelSpec = {
    width: 520,
    height: { step: 30 },
    background: 'transparent',
    layer: [
      {
        data: { values: measured.map(({ arm, kind, median }) => ({ arm, kind, median })) },
        mark: { type: 'bar', height: 18 },
        encoding: {
          y,
          x: { ...x, field: 'median' },
          color: {
            field: 'kind',
            type: 'nominal',
            title: null,
            scale: { domain: ['arm', 'control'], range: [ARM, CONTROL] },
          },
        },
      },
      {
        data: { values: measured.flatMap(({ arm, values }) => values.map(value => ({ arm, value }))) },
        mark: { type: 'point', filled: true, color: 'black', size: 24 },
        encoding: { y, x: { ...x, field: 'value' } },
      },
    ],
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return new Markup(await view.toSVG());
  } finally {
    view.finalize();
  }
}
