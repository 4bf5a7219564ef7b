import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboards } from './dashboards.ts';
import { emptyIsGood } from './empty-is-good.ts';
import { problemsOf } from './expression.ts';
import { codeColours, grpcCodes } from './grpc-codes.ts';
import { inventory } from './inventory.ts';
import { titles, uidOf } from './links.ts';
import { exampleValues, fillIn, panelsOf, queriesOf, targetsOf } from './queries.ts';
import { ruleExpressions } from './rule-files.ts';
import { prometheus } from './variables.ts';

const uids = dashboards.map(({ uid }) => uid);

for (const dashboard of dashboards) {
  describe(`the dashboard ${dashboard.uid}`, () => {
    for (const panel of panelsOf(dashboard))
      it(`${panel.title}: says what it is, and asks what there is`, () => checkPanel(panel));

    it('has panels of different names that do not lie on each other', () => {
      const names = panelsOf(dashboard).map(({ title }) => title);
      assert.equal(new Set(names).size, names.length);
      checkLayout(dashboard);
    });

    it('has variables whose values come from metrics that exist', () => {
      const variables = dashboard.templating?.list ?? [];
      const found = variables.map(({ name }) => name);
      for (const name of ['datasource', 'namespace', 'service']) assert.ok(found.includes(name), name);
      for (const { definition } of variables.filter(({ type }) => type === 'query')) checkValues(definition ?? '');
    });

    it('has links to dashboards that exist, with variables that they have', () => {
      const urls = urlsOf(dashboard);
      assert.ok(urls.length >= dashboards.length - 1);
      for (const url of urls) checkLink(url);
    });

    it('draws alerts, by a query that holds', () => {
      const exprs = dashboard.annotations?.list?.map(({ expr }) => fillIn(expr ?? '', exampleValues)) ?? [];
      assert.deepEqual(
        exprs.map(expr => problemsOf(expr, inventory)),
        [[]],
      );
    });
  });
}

describe('all dashboards together', () => {
  it('are those that links know, each with a uid of its own', () => {
    assert.deepEqual(uids, (Object.keys(titles) as (keyof typeof titles)[]).map(uidOf));
  });

  it('show each status of gRPC in one colour, and no two in the same', () => {
    assert.equal(new Set(grpcCodes.map(({ colour }) => colour)).size, 17);
    const byStatus = dashboards.flatMap(panelsOf).filter(showsStatuses);
    assert.ok(byStatus.length >= 5);
    for (const panel of byStatus)
      assert.deepEqual({ ...coloursOf(panel), ...codeColours }, coloursOf(panel), panel.title ?? '');
  });

  it('use every metric of the inventory, so that one that nobody looks at is noticed', () => {
    const all = [...queriesOf(dashboards).map(({ expr }) => expr), ...ruleExpressions()].join('\n');
    const unused = Object.keys(inventory).filter(name => !new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`).test(all));
    assert.deepEqual(unused, []);
  });

  it('have each panel that may be empty, with a reason', () => {
    for (const { dashboard, panel, reason } of emptyIsGood) {
      const found = dashboards.find(({ uid }) => uid === dashboard);
      assert.ok(found && panelsOf(found).some(({ title }) => title === panel), `${dashboard}: ${panel}`);
      assert.ok(reason.length > 0);
    }
  });
});

function checkPanel(panel: Panel): void {
  assert.ok(panel.title);
  assert.match(panel.description ?? '', /^[A-Z].{20,}\.\n\n\*\*Good:\*\* .+\.$/s);
  assert.ok(panel.fieldConfig?.defaults.unit);
  assert.deepEqual(panel.datasource, prometheus);
  assert.ok(panel.targets?.length);
  for (const target of panel.targets) assert.deepEqual((target as { datasource?: unknown }).datasource, prometheus);
  for (const { expr } of targetsOf(panel)) {
    for (const [range] of expr.matchAll(/\[[^\]]*\]/g)) if (/\d|\$/.test(range)) assert.equal(range, '[$__rate_interval]');
    assert.deepEqual(problemsOf(fillIn(expr, exampleValues), inventory), []);
    assert.match(expr, /namespace="\$namespace"/);
  }
}

function checkLayout({ panels = [] }: Dashboard): void {
  const taken = new Set<string>();
  for (const { gridPos, title = '' } of panels) {
    const { x, y, w, h } = gridPos ?? { x: -1, y: 0, w: 0, h: 0 };
    assert.ok(x >= 0 && x + w <= 24, title);
    for (let column = x; column < x + w; column++)
      for (let row = y; row < y + h; row++) {
        assert.ok(!taken.has(`${column}/${row}`), title);
        taken.add(`${column}/${row}`);
      }
  }
}

function checkValues(definition: string): void {
  const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
  assert.deepEqual(problemsOf(`sum by (${label}) (${fillIn(selector, exampleValues)})`, inventory), []);
}

function checkLink(url: string): void {
  if (url.startsWith('/explore?')) return;
  const [, uid, query = ''] = /^\/d\/([\w-]+)(?:\?(.*))?$/.exec(url) ?? [];
  const target = dashboards.find(dashboard => dashboard.uid === uid);
  assert.ok(target, url);
  const names = target.templating?.list?.map(({ name }) => name);
  for (const [, name = ''] of query.matchAll(/var-(\w+)=/g)) assert.ok(names?.includes(name), `${url}: ${name}`);
}

function urlsOf(dashboard: Dashboard): string[] {
  const urls: string[] = [];
  JSON.stringify(dashboard, (key, value) => {
    if (key === 'url' && typeof value === 'string') urls.push(value);
    return value;
  });
  return urls;
}

function showsStatuses(panel: Panel): boolean {
  const legends = (panel.targets as { legendFormat?: string }[] | undefined)?.map(({ legendFormat }) => legendFormat ?? '');
  return legends?.some(legend => legend.includes('{{grpc_status}}') || legend in codeColours) ?? false;
}

function coloursOf(panel: Panel): Record<string, string> {
  const colours = panel.fieldConfig?.overrides.map(({ matcher, properties }) => [
    matcher.options,
    properties.find(({ id }) => id === 'color')?.value.fixedColor,
  ]);
  return Object.fromEntries(colours ?? []);
}
