/**
 * Reads how many tests passed from what `deno test` and `bun test` print last.
 * @module
 */

/** How many tests ended which way. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

// deno-lint-ignore no-control-regex -- an escape sequence starts with a control character.
const ANSI = /\x1b\[[0-9;]*[A-Za-z]/g;
// Steps stand in brackets and are part of the test they belong to.
const DENO_SUMMARY = /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(.*)$/gm;
const DENO_IGNORED = /\| (\d+) ignored/;
const BUN_LINE = /^ +(\d+) (pass|fail|skip|todo|error|errors)$/gm;

/** Reads the last summary of `deno test`; undefined if there is none. */
export function readDenoSummary(output: string): Counts | undefined {
  const last = [...output.replaceAll(ANSI, "").matchAll(DENO_SUMMARY)].at(-1);
  if (last === undefined) return undefined;
  const [, passed, failed, rest = ""] = last;
  return { passed: Number(passed), failed: Number(failed), skipped: Number(DENO_IGNORED.exec(rest)?.[1] ?? 0) };
}

/** Reads the summary of `bun test`; undefined if it is not all there. */
export function readBunSummary(output: string): Counts | undefined {
  const lines = [...output.replaceAll(ANSI, "").matchAll(BUN_LINE)];
  const found = new Map(lines.map(([, count, kind = ""]) => [kind.replace("errors", "error"), Number(count)]));
  const [passed, failed] = [found.get("pass"), found.get("fail")];
  if (passed === undefined || failed === undefined) return undefined;
  const skipped = (found.get("skip") ?? 0) + (found.get("todo") ?? 0);
  return { passed, failed: failed + (found.get("error") ?? 0), skipped };
}

/** Judges one run: one without a summary, or that failed without saying which test did, counts as a failure more. */
export function judgeRun(counts: Counts | undefined, isSuccess: boolean): Counts {
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  const isUnexplained = counts === undefined || (!isSuccess && failed === 0);
  return { passed, failed: failed + (isUnexplained ? 1 : 0), skipped };
}

/** Adds the counts of several runs. */
export function addCounts(runs: readonly Counts[]): Counts {
  const sum = (pick: (counts: Counts) => number) => runs.reduce((total, counts) => total + pick(counts), 0);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
  };
}

/** Writes the closing line. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
