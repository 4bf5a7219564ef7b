import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { dashboards } from './dashboards.ts';
import { problemsOf } from './expression.ts';
import { inventory } from './inventory.ts';
import { findPromtool } from './promtool.ts';
import { ruleFiles, rulesFolder, rulesOf } from './rule-files.ts';
import type { Rule, RuleFile } from './slo-rules.ts';

interface RuleTest {
  name: string;
  alert_rule_test?: { eval_time: string; alertname: string; exp_alerts: unknown[] }[];
}

const execute = promisify(execFile);
const promtool = findPromtool();
const skip = promtool === undefined && 'promtool is neither on PATH nor in .tools/ (Debian: apt install prometheus)';
const testsFolder = join(import.meta.dirname, 'rules');
const runbook = readFileSync(join(import.meta.dirname, 'runbook.md'), 'utf8');
const files = ruleFiles();
const alerts = [...files.values()].flatMap(rulesOf).filter(isAlert);

describe('every rule', () => {
  for (const [name, file] of files)
    it(`of ${name} is PromQL and names what exists`, () => {
      for (const { expr } of rulesOf(file)) assert.deepEqual(problemsOf(expr, inventory), [], expr);
    });
});

describe('every alert', () => {
  for (const { alert, labels = {}, annotations = {} } of alerts)
    it(`${alert} says what it is, how bad, where to look and what to do`, () => {
      assert.ok(['page', 'ticket'].includes(labels.severity ?? ''));
      assert.ok(annotations.summary && annotations.description);
      assert.ok(dashboards.some(({ uid }) => annotations.dashboard === `/d/${uid}`));
      assert.equal(annotations.runbook, `deploy/observability/runbook.md#${alert.toLowerCase()}`);
      const [, paragraph = ''] = runbook.split(`\n## ${alert}\n`);
      assert.match(paragraph.split('\n## ')[0] ?? '', /\*\*Means\*\* .+\*\*Look at\*\*.+\*\*Do\*\* .+/s);
    });

  it('has a name of its own, and the runbook has no paragraph besides', () => {
    const names = alerts.map(({ alert }) => alert);
    assert.deepEqual([...runbook.matchAll(/^## (.+)$/gm)].map(([, name]) => name).sort(), names.toSorted());
    assert.equal(new Set(names).size, names.length);
  });

  for (const { alert } of alerts)
    it(`${alert} has a test in which it fires and ends, and one in which all is well`, () => {
      const tests = [...files.keys()].flatMap(testsOf).map(({ name, alert_rule_test = [] }) => ({
        name,
        fires: alert_rule_test.filter(({ alertname }) => alertname === alert).map(({ exp_alerts }) => exp_alerts.length > 0),
      }));
      assert.ok(tests.some(({ fires }) => fires.includes(true) && fires.at(-1) === false));
      assert.ok(tests.some(({ name, fires }) => name.startsWith('all is well') && fires.length > 0 && !fires.includes(true)));
    });
});

describe('promtool', () => {
  for (const [name, file] of files) {
    it(`finds the rules of ${name} right`, { skip }, async () => {
      await execute(promtool ?? '', ['check', 'rules', join(rulesFolder, name)]);
    });

    it(`finds that ${name} does what its tests say`, { skip }, async () => {
      await execute(promtool ?? '', ['test', 'rules', testFile(name)]);
    });

    it(`finds each alert of ${name} that never fires, or always`, { skip }, async () => {
      const [never, always] = [
        await tested(name, changed(file, 'vector(0) > 1')),
        await tested(name, changed(file, 'vector(1)')),
      ];
      for (const { alert } of rulesOf(file).filter(isAlert))
        for (const output of [never, always]) assert.match(output, new RegExp(`alertname: ${alert}\\b`));
    });
  }

  it('has a file of tests for each file of rules', () => {
    assert.deepEqual(readdirSync(testsFolder).sort(), [...files.keys()].map(name => testName(name)).sort());
  });
});

/** The file without its recordings, and with another expression in each alert. */
function changed(file: RuleFile, expr: string): RuleFile {
  return {
    groups: [
      {
        name: 'changed',
        rules: rulesOf(file)
          .filter(isAlert)
          .map(rule => ({ ...rule, expr })),
      },
    ],
  };
}

/** What promtool says of the tests of the rules `name` when `rules` stand in their place; they must fail. */
async function tested(name: string, rules: RuleFile): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-rules-'));
  try {
    const tests = parse(readFileSync(testFile(name), 'utf8'));
    writeFileSync(join(folder, name), stringify(rules));
    writeFileSync(join(folder, testName(name)), stringify({ ...tests, rule_files: [name] }));
    const run = execute(promtool ?? '', ['test', 'rules', join(folder, testName(name))]);
    const output = await run.then(
      () => assert.fail('promtool finds nothing'),
      ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout}${stderr}`,
    );
    return output;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function isAlert(rule: Rule): rule is Rule & { alert: string } {
  return rule.alert !== undefined;
}

function testsOf(name: string): RuleTest[] {
  return (parse(readFileSync(testFile(name), 'utf8')) as { tests: RuleTest[] }).tests;
}

function testFile(name: string): string {
  return join(testsFolder, testName(name));
}

function testName(name: string): string {
  return name.replace('.yaml', '.test.yaml');
}
