/**
 * What a scenario of the soak is given and gives back.
 * @module
 */

import type { RuntimeName } from "../../support/peers/process.ts";
import type { Children } from "./children.ts";

/** What a scenario runs with. */
export interface SoakContext {
  /** What the server runs on. */
  readonly runtime: RuntimeName;
  /** Seconds instead of the full length. */
  readonly seconds: number | undefined;
  readonly children: Children;
  /** Prints a line about how it goes. */
  readonly say: (line: string) => void;
}

/** Something that has to hold. */
export interface Check {
  readonly what: string;
  readonly isKept: boolean;
}

/** What a scenario has found. */
export interface SoakReport {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly checks: readonly Check[];
}

/** One of the long runs. */
export interface Scenario {
  readonly title: string;
  readonly run: (context: SoakContext) => Promise<SoakReport>;
}

/** Writes milliseconds. */
export function ms(value: number | null): string {
  if (value === null) return "-";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Writes mebibytes. */
export function mib(value: number): string {
  return value.toFixed(0);
}

/** Writes a count with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

/** Writes a share of a core. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** Lays a report out as Markdown. */
export function table(title: string, { columns, rows }: SoakReport): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [`### ${title}`, "", line(columns), line(columns.map(() => "---")), ...rows.map(line), ""].join("\n");
}
