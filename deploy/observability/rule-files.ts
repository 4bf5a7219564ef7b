import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { generatedFolder } from './generated-files.ts';
import type { Rule, RuleFile } from './slo-rules.ts';

/** Where the chart keeps the rules, generated and written by hand. */
export const rulesFolder = join(generatedFolder, 'rules');

/** The rules of the chart: the name of each file and what is in it. */
export function ruleFiles(folder = rulesFolder): Map<string, RuleFile> {
  const names = readdirSync(folder).filter(name => name.endsWith('.yaml'));
  return new Map(names.map(name => [name, parse(readFileSync(join(folder, name), 'utf8')) as RuleFile]));
}

/** All rules of a file. */
export const rulesOf = ({ groups }: RuleFile): Rule[] => groups.flatMap(({ rules }) => rules);

/** The expressions of all rules of the chart. */
export const ruleExpressions = (): string[] => [...ruleFiles().values()].flatMap(rulesOf).map(({ expr }) => expr);
