/**
 * Ratios of paired rounds: their median, how far they spread, and how sure the median is.
 * @module
 */

/** One number and how much it moved between rounds. */
export interface Summary {
  readonly median: number;
  /** The 95 % confidence interval of the median. */
  readonly low: number;
  readonly high: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** Resamples drawn for a confidence interval. */
const RESAMPLES = 2000;

/** Makes numbers in [0, 1), the same ones for the same seed: mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Copies a list in random order. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const copy = [...items];
  for (let index = copy.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [copy[index], copy[other]] = [copy[other] as T, copy[index] as T];
  }
  return copy;
}

/** Takes the value below which a share of the sorted numbers lies. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}

const ascending = (a: number, b: number): number => a - b;

/** Takes the median of numbers in any order. */
export function median(values: readonly number[]): number {
  return quantile(values.toSorted(ascending), 0.5);
}

/** Sums up one number per round; the interval is a percentile bootstrap with a fixed seed. */
export function summarize(values: readonly number[]): Summary {
  const random = createRandom(20261122);
  const medians = Array.from({ length: RESAMPLES }, () => {
    return median(values.map(() => values[Math.floor(random() * values.length)] ?? NaN));
  }).sort(ascending);
  return {
    median: median(values),
    low: quantile(medians, 0.025),
    high: quantile(medians, 0.975),
    min: Math.min(...values),
    max: Math.max(...values),
    rounds: values.length,
  };
}

/** Sums up one contender against another, round by round: each ratio is of two numbers measured side by side. */
export function compare(values: readonly number[], reference: readonly number[]): Summary {
  if (values.length !== reference.length) throw new RangeError("Cannot compare as rounds must be paired");
  return summarize(values.map((value, round) => value / (reference[round] ?? NaN)));
}
