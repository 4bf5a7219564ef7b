import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** A row of the table: the path of a value ("edge.port"), what is said of it, and its default as YAML in one line. */
export interface ValueRow {
  readonly path: string;
  readonly text: string;
  readonly initial: string;
}

const BEGIN = '<!-- values: written by `npm run check:chart -- --update` -->';
const END = '<!-- end of values -->';

/**
 * The values that values.yaml describes, in its order: each key with a comment that begins with `# --`. What is below such a key
 * is part of it. Throws an Error that names a value which neither has such a comment nor is below one.
 */
export function valueRows(values: string): ValueRow[] {
  const document = parseDocument(values);
  if (!isMap(document.contents)) throw new Error('values.yaml holds no map');
  return rowsOf(document.contents, '', document.contents.commentBefore ?? '');
}

function rowsOf(map: YAMLMap, prefix: string, firstComment: string): ValueRow[] {
  return map.items.flatMap((pair, i) => {
    const key = isScalar(pair.key) ? pair.key : undefined;
    const path = `${prefix}${key?.value}`;
    const text = described(key?.commentBefore ?? (i === 0 ? firstComment : ''));
    if (text !== undefined) return [{ path, text, initial: initialOf(pair) }];
    if (isMap(pair.value) && pair.value.items.length > 0) return rowsOf(pair.value, `${path}.`, pair.value.commentBefore ?? '');
    throw new Error(`values.yaml: ${path} has no comment that begins with "# --"`);
  });
}

/** The description within a comment, on one line; undefined when there is none. */
function described(comment: string): string | undefined {
  const [, text] = comment.split(/^ -- /m);
  return text?.replace(/\s+/g, ' ').trim();
}

function initialOf({ value }: Pair): string {
  const json = JSON.stringify(value ?? null);
  return json.length > 120 ? 'see values.yaml' : `\`${json}\``;
}

/** The README with the table of these values between its two marks. Throws an Error when it has no marks. */
export function withValues(readme: string, rows: readonly ValueRow[]): string {
  const [before, rest] = readme.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the README lacks the marks ${BEGIN} and ${END}`);
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
  const lines = rows.map(({ path, text, initial }) => `| \`${path}\` | ${cell(text)} | ${cell(initial)} |`);
  return [
    `${before}${BEGIN}`,
    '',
    '| value | what it is | default |',
    '| --- | --- | --- |',
    ...lines,
    '',
    `${END}${after}`,
  ].join('\n');
}
