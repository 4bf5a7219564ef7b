import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { findScenario, loadCatalog, scenarioNames } from './catalog.ts';
import { loadParameters } from './parameters.ts';
import { type Arm, defineScenario, type Some } from './scenario.ts';
import { assertDescribed } from './testing-checks.ts';

const parameters = loadParameters({ rate: 1, seconds: 1, repetitions: 2 });
const arm = <const Name extends string>(name: Name): Arm<typeof parameters, 'ms', Name> => ({
  name,
  title: name,
  run: async () => ({ ms: 1 }),
});
const check = { says: 'x', test: () => ({ passed: true, observed: '' }) };
const whole = {
  name: 'x',
  claim: { says: 'x', by: 'x' },
  describe: { question: 'x', method: 'x', reading: 'x', limits: ['x'] as Some<string> },
  parameters,
  figures: { ms: { title: 'x', unit: 'ms' } },
  headline: { figure: 'ms', arm: 'one', control: 'other' },
} as const;

test('a scenario without a check, or without a control, does not compile, nor one that names what it has not', () => {
  const [arms, controls, checks] = [[arm('one')], [arm('other')], [check]] as const;
  defineScenario({ ...whole, arms, controls, checks });
  // @ts-expect-error: no check
  defineScenario({ ...whole, arms, controls, checks: [] });
  // @ts-expect-error: checks are missing
  defineScenario({ ...whole, arms, controls });
  // @ts-expect-error: no control
  defineScenario({ ...whole, arms, controls: [], checks });
  // @ts-expect-error: controls are missing
  defineScenario({ ...whole, arms, checks });
  // @ts-expect-error: a headline of an arm that there is not
  defineScenario({ ...whole, arms, controls, checks, headline: { figure: 'ms', arm: 'none', control: 'other' } });
  // @ts-expect-error: the parameters of the load are missing
  defineScenario({ ...whole, arms, controls, checks, parameters: {} });
  defineScenario({ ...whole, arms, controls, checks, quick: { local: { rate: 1 }, cluster: { seconds: 2 } } });
  // @ts-expect-error: a quick run that sets a parameter that there is not
  defineScenario({ ...whole, arms, controls, checks, quick: { local: { work: 1 } } });
});

test('what only a cluster can show needs a reason and a check, and nothing outside of it can rely on it', () => {
  const [arms, controls, checks] = [[arm('one')], [arm('other')], [check]] as const;
  const inCluster = { because: 'x', controls: [arm('more')], checks } as const;
  const both = { ...whole, arms, controls, checks, inCluster };
  defineScenario(both);
  // @ts-expect-error: no check
  defineScenario({ ...both, inCluster: { ...inCluster, checks: [] } });
  // @ts-expect-error: no reason
  defineScenario({ ...both, inCluster: { controls, checks } });
  // @ts-expect-error: a headline that a local run would not have
  defineScenario({ ...both, headline: { figure: 'ms', arm: 'one', control: 'more' } });
  // @ts-expect-error: a check that a local run could not make
  defineScenario({ ...both, checks: [{ says: 'x', test: ({ more }) => ({ passed: more === undefined, observed: '' }) }] });
});

test('every scenario is in the catalog by the name of its file, and says what a reader needs', async () => {
  const entries = await readdir(join(import.meta.dirname, 'scenarios'), { withFileTypes: true });
  const names = entries.filter(entry => entry.isDirectory()).map(({ name }) => name);
  assert.ok(names.includes('deadlines'));
  for (const mode of ['local', 'cluster'] as const) {
    const catalog = await loadCatalog(mode);
    assert.deepEqual([...catalog.keys()], names.sort());
    for (const scenario of catalog.values()) assertDescribed(scenario);
  }
});

test('the README’s table names scenarios that there are', async () => {
  const readme = await readFile(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
  const [, table = ''] = /^\| scenario \|.*\n\| --- .*\n((?:\|.*\n)+)/m.exec(readme) ?? [];
  const rows = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  assert.ok(rows.includes('deadlines'));
  assert.deepEqual(
    rows.filter(name => !scenarioNames().includes(`${name}`)),
    [],
  );
});

/** A folder of scenarios with these files, each of which names the scenario that it exports. */
async function folderOf(files: Record<string, string>): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'telltale-catalog-'));
  for (const [file, name] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), `export const scenario = { name: '${name}' };\n`);
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

test('a new scenario is one file, or one folder, and the catalog finds both without being told', async () => {
  const files = { 'one.ts': 'one', 'one.test.ts': '', 'two/two.ts': 'two', 'two/helper.ts': '' };
  await using made = await folderOf(files);
  assert.deepEqual([...(await loadCatalog('local', made.folder)).keys()], ['one', 'two']);
});

test('a file or folder in scenarios/ without a scenario of its name ends the start, and is named', async () => {
  for (const [file, error] of [
    ['wrong.ts', /scenarios\/wrong\.ts exports no scenario of its own name/],
    ['wrong/wrong.ts', /scenarios\/wrong\/wrong\.ts exports no scenario of its own name/],
    ['empty/other.ts', /there is no scenarios\/empty\/empty\.ts/],
  ] as const) {
    await using made = await folderOf({ [file]: 'right' });
    await assert.rejects(loadCatalog('local', made.folder), error);
  }
});

test('a name that is no scenario is NOT_FOUND, with the nearest', async () => {
  const catalog = await loadCatalog('local');
  assert.throws(() => findScenario(catalog, 'deadline'), /did you mean deadlines\? There are: .*cancellation/);
});
