/** A job of Prometheus' file, as far as relabelling concerns it. */
export interface ScrapeConfig {
  readonly job_name: string;
  readonly relabel_configs?: readonly RelabelConfig[];
}

interface RelabelConfig {
  readonly source_labels: readonly string[];
  readonly regex?: string;
  /** `replace` when absent. */
  readonly action?: string;
  readonly target_label?: string;
}

/**
 * What Prometheus makes of the labels of a target that it has found: those it keeps, without the ones that begin with two
 * underscores; undefined when the job drops the target. Knows keep, drop and replace of a whole value, and throws an `Error` for
 * the rest. See https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
 */
export function relabelled(
  { relabel_configs = [] }: ScrapeConfig,
  found: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  const labels = { ...found };
  for (const { source_labels, regex = '.*', action = 'replace', target_label = '' } of relabel_configs) {
    const value = source_labels.map(label => labels[label] ?? '').join(';');
    const matches = new RegExp(`^(?:${regex})$`).test(value);
    if (!['keep', 'drop', 'replace'].includes(action)) throw new Error(`the action ${action} is not known here`);
    if (action !== 'replace' && matches === (action === 'drop')) return undefined;
    if (action === 'replace' && matches) labels[target_label] = value;
  }
  return Object.fromEntries(Object.entries(labels).filter(([label]) => !label.startsWith('__')));
}
