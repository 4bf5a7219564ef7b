import { parser } from '@prometheus-io/lezer-promql';
import { type Metric, targetLabels } from './inventory.ts';

/** What an expression names. */
export interface Expression {
  /** The series that it selects, each with the labels of its matchers. */
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[];
  /** The labels by which it sums or joins. */
  readonly grouping: readonly string[];
}

/** Reads a PromQL expression without variables, by the grammar of Prometheus's own editor. Throws a `SyntaxError` with the place. */
export function parseExpression(text: string): Expression {
  const selectors: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  parser.parse(text).iterate({
    enter(node) {
      const { name, from, to } = node;
      if (node.type.isError) throw new SyntaxError(`not PromQL at "${text.slice(from, from + 20)}" in ${text}`);
      if (name === 'VectorSelector') selectors.push({ metric: '', labels: [] });
      const selector = selectors.at(-1);
      if (name === 'Identifier' && selector) selector.metric = text.slice(from, to);
      if (name !== 'LabelName') return;
      if (node.node.parent?.name === 'GroupingLabels') grouping.push(text.slice(from, to));
      else selector?.labels.push(text.slice(from, to));
    },
  });
  return { selectors, grouping };
}

/** What is wrong with an expression: no PromQL, a metric or a label that the inventory does not know. Nothing: an empty list. */
export function problemsOf(text: string, inventory: Readonly<Record<string, Metric>>): string[] {
  let expression: Expression;
  try {
    expression = parseExpression(text);
  } catch (error) {
    if (error instanceof SyntaxError) return [error.message];
    throw error;
  }
  const problems: string[] = [];
  const known = new Set<string>(targetLabels);
  for (const { metric, labels } of expression.selectors) {
    const own = labelsOf(metric, inventory);
    if (own === undefined) {
      problems.push(`no such metric: ${metric || 'a selector without a name'}`);
      continue;
    }
    for (const label of own) known.add(label);
    const unknown = labels.filter(label => !own.includes(label) && !targetLabels.some(target => target === label));
    problems.push(...unknown.map(label => `${metric} has no label ${label}`));
  }
  if (problems.length > 0) return problems;
  return expression.grouping.filter(label => !known.has(label)).map(label => `nothing here has the label ${label}`);
}

/** The labels of a series; `undefined` when no metric exports it. A histogram exports `_bucket`, `_sum` and `_count`, not itself. */
function labelsOf(series: string, inventory: Readonly<Record<string, Metric>>): readonly string[] | undefined {
  const [, base = '', suffix] = /^(.+?)(_bucket|_sum|_count)?$/.exec(series) ?? [];
  const histogram = suffix === undefined ? undefined : inventory[base];
  if (histogram?.kind === 'histogram') return suffix === '_bucket' ? [...histogram.labels, 'le'] : histogram.labels;
  const metric = inventory[series];
  return metric === undefined || metric.kind === 'histogram' ? undefined : metric.labels;
}
