/**
 * What is printed of a run of mutants.
 * @module
 */

import { reasonOf } from "./harmless.ts";
import { isDead, type Result } from "./trial.ts";

const WIDTH = 150;

function cut(text: string): string {
  return text.length > WIDTH ? `${text.slice(0, WIDTH)}...` : text;
}

/** Where a mutant is and what it changes, in three lines. */
export function describeMutant(
  { file, line, operator, before, after }: Omit<Result, "outcome" | "by" | "seconds">,
): string {
  return `${file}:${line}  ${operator}\n    - ${cut(before)}\n    + ${cut(after)}`;
}

/** A result in one line. */
export function describeResult({ file, line, operator, outcome, by, seconds }: Result): string {
  return `${outcome.padEnd(9)} ${seconds.toFixed(1).padStart(5)} s  ${file}:${line} ${operator}${
    by === "" ? "" : `, by ${cut(by)}`
  }`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "-" : `${(100 * part / whole).toFixed(1)} %`;
}

/** Share of mutants that are dead, from 0 to 1; those that change nothing are left out. */
export function killedShare(results: readonly Result[]): number {
  const counted = results.filter((result) => isDead(result) || reasonOf(result) === undefined);
  return counted.length === 0 ? 1 : counted.filter(isDead).length / counted.length;
}

/** A table by file, the named mutants, and the survivors. */
export function summarize(results: readonly Result[]): string {
  const files = [...new Set(results.map(({ file }) => file))].toSorted();
  const row = (name: string, of: readonly Result[]): string => {
    const count = (outcome: Result["outcome"]) =>
      String(of.filter((each) => each.outcome === outcome).length).padStart(10);
    const harmless = of.filter((each) => !isDead(each) && reasonOf(each) !== undefined).length;
    const columns = [
      String(of.length).padStart(5),
      count("killed"),
      count("timeout"),
      count("survived"),
      count("unreached"),
    ];
    return `${name.padEnd(36)}${columns.join("")}${String(harmless).padStart(10)}${
      percent(of.filter(isDead).length, of.length - harmless).padStart(9)
    }`;
  };
  const head = `${"".padEnd(36)} made    killed   timeout  survived unreached  harmless     dead`;
  const table = files.map((file) => row(file, results.filter((each) => each.file === file)));
  const named = results.filter(({ isNamed }) => isNamed).map(describeResult);
  const alive = results.filter((each) => !isDead(each));
  const [open, harmless] = [false, true].map((is) => alive.filter((each) => (reasonOf(each) !== undefined) === is));
  return [
    ["", head, ...table, row("all", results)].join("\n"),
    named.length === 0 ? "" : `named:\n  ${named.join("\n  ")}`,
    harmless!.length === 0
      ? ""
      : `harmless:\n${harmless!.map((each) => `  ${describeMutant(each)}\n    ${reasonOf(each)}`).join("\n")}`,
    open!.length === 0
      ? "no survivor"
      : `alive:\n${open!.map((each) => `  [${each.outcome}] ${describeMutant(each)}`).join("\n")}`,
  ].filter((part) => part !== "").join("\n\n");
}
