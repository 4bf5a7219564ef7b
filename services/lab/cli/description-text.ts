import Table from 'cli-table3';
import type { DescribeScenarioResponse, Parameter, ScenarioSummary } from '../../../proto/gen/telltale/lab/v1/lab.ts';

/** The scenarios, a line each. */
export function listText(scenarios: readonly ScenarioSummary[]): string {
  const table = new Table({ head: ['scenario', 'claim'], style: { head: [], border: [], compact: true } });
  for (const { name, claim } of scenarios) table.push([name, claim]);
  return `${table}\n\nMore of one: telltale describe ${scenarios[0]?.name ?? '<scenario>'}. Run it: telltale run ${scenarios[0]?.name ?? '<scenario>'}`;
}

/** What a scenario asks, does, and does not show. */
export function descriptionText(description: DescribeScenarioResponse): string {
  const { summary, question, method, reading, limits, arms, checks, parameters } = description;
  const list = (lines: readonly string[]) => lines.map(line => `  - ${line}`).join('\n');
  return [
    `${summary?.name}: ${summary?.claim}`,
    `Claimed by: ${summary?.claimedBy}`,
    '',
    `Question: ${question}`,
    '',
    `What is done: ${method}`,
    '',
    `How to read it: ${reading}`,
    '',
    `What it does not show:\n${list(limits)}`,
    '',
    `Arms:\n${list(arms.map(({ name, title, control }) => `${name}${control ? ' (control)' : ''}: ${title}`))}`,
    '',
    `Checks:\n${list(checks)}`,
    '',
    `Parameters (--set name=value):\n${list(parameters.map(parameterText))}`,
  ].join('\n');
}

function parameterText({ name, title, unit, defaultValue, min, max, choices }: Parameter): string {
  const range = choices.length > 0 ? choices.join(' or ') : `${min} to ${max}${unit && ` ${unit}`}`;
  return `${name}: ${title}; ${range}, default ${defaultValue}`;
}
