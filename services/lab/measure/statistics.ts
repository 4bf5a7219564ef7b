/** The share of a figure below which a difference is not told, between repetitions of an arm or between two arms. */
export const RESOLUTION = 0.1;

/** The value below which a share `q` of the values lies; NaN of none. The values need not be sorted. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** The middle of the values, or of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** How far the values are apart, the largest less the smallest; NaN of none. */
export function spread(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : Math.max(...values) - Math.min(...values);
}

/** The sum of the values; 0 of none. */
export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The share of the items, from 0 to 1, that are so; NaN of none. */
export function share<Item>(items: readonly Item[], isSo: (item: Item) => boolean): number {
  return items.filter(isSo).length / items.length;
}

/** A share as text: "4.2 %". */
export const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
