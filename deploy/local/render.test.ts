import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseObjects, renderChart } from './render.ts';
import { deployment, headlessService, testFolder } from './testing-chart.ts';
import { locateTool } from './tools.ts';

describe('renderChart', () => {
  it('returns the objects of the chart in the namespace telltale', async () => {
    using folder = testFolder();
    const chart = folder.chart([headlessService('users'), deployment('users', 2, { containers: [] })]);
    const objects = await renderChart({ helm: await locateTool('helm'), chart, home: folder.dir });
    assert.deepEqual(
      objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
      ['Service/users', 'Deployment/users'],
    );
  });

  it("fails with helm's own words, which name the file", async () => {
    using folder = testFolder();
    const chart = folder.chart([]);
    writeFileSync(join(chart, 'templates', 'all.yaml'), '{{ .Values.x.y.z }}\n');
    await assert.rejects(
      renderChart({ helm: await locateTool('helm'), chart, home: folder.dir }),
      /cannot render the chart .*\n.*all\.yaml/s,
    );
    assert.equal(readFileSync(join(chart, 'Chart.yaml'), 'utf8').includes('name: test'), true);
  });
});

describe('parseObjects', () => {
  it('skips empty documents', () => {
    assert.deepEqual(parseObjects(''), []);
    assert.equal(parseObjects('---\n# nothing\n---\nkind: A\napiVersion: v1\nmetadata: {name: a}\n').length, 1);
  });

  it('refuses what is not YAML and what is no object', () => {
    assert.throws(() => parseObjects('a: [1'), /is not YAML/);
    assert.throws(() => parseObjects('kind: A\n'), /no Kubernetes object/);
  });
});
