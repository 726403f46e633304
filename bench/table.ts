/**
 * Tables of ratios as Markdown, with the bound beside the number it is for.
 * @module
 */

import type { Summary } from "./stats.ts";

/** What a median must not pass. */
export interface Bound {
  readonly kind: "at most" | "at least";
  readonly value: number;
}

/** One row: what was measured, and what was asked of it. */
export interface Row {
  readonly label: string;
  readonly summary: Summary;
  /** Columns between the label and the ratio. */
  readonly details?: readonly string[];
  readonly bound?: Bound;
}

/** Writes a number with three digits that count. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  return size >= 100
    ? value.toFixed(0)
    : size >= 10
    ? value.toFixed(1)
    : size >= 1
    ? value.toFixed(2)
    : value.toFixed(3);
}

/** Says whether the median keeps a bound, or the bound still lies in its confidence interval. */
export function verdict(
  { median, low, high }: Summary,
  { kind, value }: Bound,
): "kept" | "within the CI" | "**missed**" {
  const [better, kindest] = kind === "at most" ? [-1, low] : [1, high];
  if ((median - value) * better >= 0) return "kept";
  return (kindest - value) * better >= 0 ? "within the CI" : "**missed**";
}

/** Rounds from which on a median is held against a bound. */
const ENOUGH = 11;

function boundCell({ summary, bound }: Row): string {
  if (bound === undefined) return "";
  const { kind, value } = bound;
  return `${kind} ${digits(value)}: ${summary.rounds < ENOUGH ? "too few rounds to tell" : verdict(summary, bound)}`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** Lays rows out under a heading. */
export function table(title: string, columns: readonly string[], rows: readonly Row[]): string {
  const heads = [...columns, "median", "95 % CI", "min ... max", "rounds", "bound"];
  return [
    `### ${title}`,
    "",
    line(heads),
    line(heads.map((_, index) => index === 0 ? "---" : "---:")),
    ...rows.map((row) => {
      const { median, low, high, min, max, rounds } = row.summary;
      const interval = `${digits(low)} ... ${digits(high)}`;
      const spread = `${digits(min)} ... ${digits(max)}`;
      return line([row.label, ...row.details ?? [], digits(median), interval, spread, `${rounds}`, boundCell(row)]);
    }),
    "",
  ].join("\n");
}
