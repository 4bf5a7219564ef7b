import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { testFolder } from './testing-chart.ts';
import { finishedTool } from './tool-folder.ts';

describe('finishedTool', () => {
  it('makes a tool once, and leaves nothing of the making', async () => {
    using folder = testFolder();
    const dir = join(folder.dir, 'tools');
    const workshops: string[] = [];
    const make = async (workshop: string) => {
      workshops.push(workshop);
      mkdirSync(join(workshop, 'rest'));
      writeFileSync(join(workshop, 'made'), 'tool');
      return join(workshop, 'made');
    };
    assert.equal(await finishedTool('tool-1', make, dir), join(dir, 'tool-1'));
    assert.equal(await finishedTool('tool-1', make, dir), join(dir, 'tool-1'));
    assert.equal(readFileSync(join(dir, 'tool-1'), 'utf8'), 'tool');
    assert.deepEqual(readdirSync(dir), ['tool-1']);
    assert.deepEqual(workshops.map(existsSync), [false]);
  });

  it('leaves nothing in the folder of tools when the making fails', async () => {
    using folder = testFolder();
    const dir = join(folder.dir, 'tools');
    const make = (workshop: string) => {
      writeFileSync(join(workshop, 'half'), '');
      return Promise.reject(new Error('no network'));
    };
    await assert.rejects(finishedTool('tool-1', make, dir), /no network/);
    assert.equal(existsSync(dir), false);
  });

  it('gives two that make it at once the same finished folder', async () => {
    using folder = testFolder();
    const dir = join(folder.dir, 'tools');
    const { promise: both, resolve: go } = Promise.withResolvers<void>();
    let makers = 0;
    const make = async (workshop: string) => {
      mkdirSync(join(workshop, 'packages'));
      writeFileSync(join(workshop, 'packages', 'file'), '');
      if (++makers === 2) go();
      await both;
      return join(workshop, 'packages');
    };
    const paths = await Promise.all([finishedTool('packages-1', make, dir), finishedTool('packages-1', make, dir)]);
    assert.deepEqual(paths, [join(dir, 'packages-1'), join(dir, 'packages-1')]);
    assert.deepEqual(readdirSync(join(dir, 'packages-1')), ['file']);
  });
});
