/** The value below which this part of the values lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? Number.NaN;
}

/** The middle value, which one lucky or unlucky run does not move. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export interface Spread {
  p50: number;
  p99: number;
}

/** The middle and the slow end. */
export function spread(values: readonly number[]): Spread {
  return { p50: percentile(values, 0.5), p99: percentile(values, 0.99) };
}
