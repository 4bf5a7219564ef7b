import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { valueRows, withValues } from './chart-readme.ts';

describe('valueRows', () => {
  it('has a row for each key with a comment that begins with two dashes, and none for what is below it', () => {
    const values =
      '# Of the file.\n\n# -- The one\n# list.\nlist:\n  a: { b: 1 }\nedge:\n  # -- The port.\n  port: 8080\n  # -- Names.\n  names: []\n';
    assert.deepEqual(valueRows(values), [
      { path: 'list', text: 'The one list.', initial: '`{"a":{"b":1}}`' },
      { path: 'edge.port', text: 'The port.', initial: '`8080`' },
      { path: 'edge.names', text: 'Names.', initial: '`[]`' },
    ]);
  });

  it('refuses a value that nothing describes, by its path', () => {
    assert.throws(
      () => valueRows('edge:\n  # -- The port.\n  port: 1\n  # A remark.\n  host: x\n'),
      /edge\.host has no comment/,
    );
  });
});

describe('withValues', () => {
  const readme = withValues(
    '# Chart\n<!-- values: written by `npm run check:chart -- --update` -->\nold\n<!-- end of values -->\nrest\n',
    [{ path: 'a', text: 'x | y', initial: '`1`' }],
  );

  it('puts the table between the marks and keeps the rest', () => {
    assert.match(
      readme,
      /^# Chart\n<!-- values.*-->\n\n\| value .*\n\| --- .*\n\| `a` \| x \\\| y \| `1` \|\n\n<!-- end of values -->\nrest\n$/,
    );
  });

  it('refuses a README without marks', () => {
    assert.throws(() => withValues('# Chart\n', []), /lacks the marks/);
  });
});
