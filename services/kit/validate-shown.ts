/** A value for an error message, as JSON and at most 40 characters of it, so that a long one does not flood it. */
export function shown(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, 200) : value) ?? String(value);
  const characters = [...text.slice(0, 200)]; // code points: a pair of surrogates is not cut in two
  return characters.length <= 40 ? text : `${characters.slice(0, 39).join('')}…`;
}
