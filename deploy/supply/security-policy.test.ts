import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { repo } from '../local/paths.ts';

/** What is wrong with the table of a SECURITY.md: rows that are not whole, and checks that are no tests of the repository. */
function wrongRows(text: string): string[] {
  const [, ...rows] = text.split('\n').filter(line => line.startsWith('|') && !line.startsWith('| ---'));
  return rows.flatMap(row => {
    const cells = row.split('|').slice(1, -1);
    const files = [...(cells[3] ?? '').matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
    if (cells.length !== 4 || cells.some(cell => cell.trim() === '') || files.length === 0) return [`not whole: ${row}`];
    return files.filter(file => !file.endsWith('.test.ts') || !existsSync(join(repo, file))).map(file => `no test: ${file}`);
  });
}

describe('SECURITY.md', () => {
  it('has a test of the repository for each row of its threat model', () => {
    const text = readFileSync(join(repo, 'SECURITY.md'), 'utf8');
    assert.ok(text.split('\n').filter(line => line.startsWith('|')).length > 10);
    assert.deepEqual(wrongRows(text), []);
  });

  it('is wrong with a row that nothing proves', () => {
    const head = '| entry | who could do what | control | check |\n| --- | --- | --- | --- |\n';
    const rows = [
      '| a | b | c | `deploy/none.test.ts` |',
      '| a | b | c | `SECURITY.md` |',
      '| a | b | c | by hand |',
      '| a | b | |',
    ];
    assert.deepEqual(wrongRows(`${head}${rows.join('\n')}\n`), [
      'no test: deploy/none.test.ts',
      'no test: SECURITY.md',
      'not whole: | a | b | c | by hand |',
      'not whole: | a | b | |',
    ]);
  });
});
