/**
 * Runs the tests: a process for each file and runtime, as many at a time as there are cores.
 *
 *     deno run -A tests/support/runner/main.ts [options] [files and folders]
 *
 *     --runtime=deno|bun   only in this runtime
 *     --peers              the tests that need Python or other programs, instead of all others
 *     --one FILE [NAME]    one file, and only the tests whose name has NAME in it; prints everything
 *     --jobs=N             so many processes at a time
 *     --coverage           writes which lines ran to coverage/; Deno only
 *
 * The last line counts tests: "N passed, N failed". Environment: `JSR_URL`, `MAIM_DENO` and `MAIM_BUN` (the programs),
 * `MAIM_PEERS=required` (nothing may be missing).
 * @module
 */

import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { filesIn, publishedModules, ROOT } from "../package.ts";
import { runtimeIssue, type RuntimeName } from "../peers/process.ts";
import { isJsrReachable, writeBunConfig, writeImportMap } from "../std/imports.ts";
import { type Job, listJobs } from "./jobs.ts";
import { type JobResult, runJob, type RunOptions, runProcess } from "./process.ts";
import { countResults, formatCounts, formatSeconds, type TestResult } from "./results.ts";
import { expectedSeconds, expectedTotal, readTimes, writeTimes } from "./times.ts";

const RUNTIMES: readonly RuntimeName[] = ["deno", "bun"];
const COVERAGE = "coverage";

/** A mistake of the person who started it: one line. */
class UsageError extends Error {}

interface Plan {
  readonly files: readonly string[];
  readonly runtimes: readonly RuntimeName[];
  readonly isPeers: boolean;
  readonly width: number;
  /** Runs one file, only tests of this name, and prints everything. */
  readonly one: { readonly name: string | undefined } | null;
  readonly isCovered: boolean;
}

function print(line: string): void {
  // deno-lint-ignore no-console -- this is a program.
  console.log(line);
}

function readFlags(args: string[]) {
  const [text, flag] = [{ type: "string" }, { type: "boolean" }] as const;
  const options = { runtime: text, jobs: text, peers: flag, one: flag, coverage: flag };
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readPlan(args: string[]): Plan {
  const { values, positionals } = readFlags(args);
  const { runtime, jobs, peers = false, one = false, coverage = false } = values;
  const runtimes = RUNTIMES.filter((name) => name === (coverage ? "deno" : runtime ?? name));
  if (runtimes.length === 0) throw new UsageError(`--runtime must be deno or bun; got "${runtime}"`);
  const width = Number(jobs ?? navigator.hardwareConcurrency);
  if (!(Number.isInteger(width) && width > 0)) throw new UsageError(`--jobs must be a number above 0; got "${jobs}"`);
  if (one && (positionals.length === 0 || positionals.length > 2)) throw new UsageError("give FILE, or FILE and NAME");
  const files = (one ? positionals.slice(0, 1) : positionals).flatMap(filesOf);
  return { files, runtimes, isPeers: peers, width, one: one ? { name: positionals[1] } : null, isCovered: coverage };
}

/** The file of a path; of a folder, all its tests. */
function filesOf(argument: string): string[] {
  const path = argument.replace(/^\.\//, "").replace(/\/$/, "");
  try {
    if (!Deno.statSync(ROOT + path).isDirectory) return [path];
  } catch {
    throw new UsageError(`there is no file "${path}" in ${ROOT}`);
  }
  return filesIn(path).filter((file) => file.endsWith("_test.ts"));
}

/** Leaves out a runtime that is not there; fails if it must be. */
function availableRuntimes(runtimes: readonly RuntimeName[]): { runtimes: RuntimeName[]; missing: TestResult[] } {
  const issues = runtimes.map((runtime) => ({ runtime, issue: runtimeIssue(runtime) }));
  const isRequired = Deno.env.get("MAIM_PEERS") === "required";
  const missing = issues.filter(({ issue }) => issue !== null).map(({ runtime, issue }): TestResult => {
    print(`${isRequired ? "FAILED" : "SKIPPED"}: ${runtime}, as ${issue}`);
    return { name: `everything in ${runtime}`, outcome: isRequired ? "failed" : "skipped", seconds: 0 };
  });
  return { runtimes: issues.filter(({ issue }) => issue === null).map(({ runtime }) => runtime), missing };
}

/** Checks the types of everything that runs, once: the processes do not. It also fetches the npm packages. */
async function checkTypes(jobs: readonly Job[], importFlags: readonly string[]): Promise<TestResult[]> {
  const [tests, documented] = [false, true].map((isDoc) => [
    ...new Set(jobs.filter((job) => job.isDoc === isDoc).flatMap(({ files }) => files)),
  ]);
  const began = performance.now();
  const failed: TestResult[] = [];
  for (const [flags, files] of [[[], tests], [["--doc"], documented]] as const) {
    if (files === undefined || files.length === 0) continue;
    const args = ["check", "--node-modules-dir=auto", ...importFlags, ...flags, ...files];
    const { output, end } = await runProcess(Deno.execPath(), args);
    if (end !== null) {
      print(output);
      failed.push({ name: "deno check", outcome: "failed", seconds: 0 });
    }
  }
  print(`types: ${failed.length === 0 ? "checked" : "FAILED"} in ${formatSeconds((performance.now() - began) / 1000)}`);
  return failed;
}

/** What of the output of a failed process tells why. */
function tellingOutput({ job, output }: JobResult): string {
  const lines = output.split("\n");
  if (job.runtime === "bun") return lines.filter((line) => !/^\((?:pass|skip)\)/.test(line)).join("\n");
  const errors = lines.findIndex((line) => line.trim() === "ERRORS");
  return (errors < 0 ? lines.slice(-60) : lines.slice(errors)).join("\n");
}

/** Runs jobs, so many at a time, and says how each went. */
async function runAll(jobs: readonly Job[], width: number, options: RunOptions): Promise<JobResult[]> {
  const began = performance.now();
  const waiting = [...jobs];
  const done: JobResult[] = [];
  const digits = String(jobs.length).length;
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const result = await runJob(job, options);
      done.push(result);
      const counts = countResults(result.results);
      const at = formatSeconds((performance.now() - began) / 1000).padStart(11);
      const place = `[${String(done.length).padStart(digits)}/${jobs.length}]`;
      const mark = counts.failed === 0 ? "" : "FAILED: ";
      print(`${place}${at}  ${mark}${job.name}: ${formatCounts(counts)} in ${formatSeconds(result.seconds)}`);
      if (counts.failed > 0 && options.onOutput === undefined) print(tellingOutput(result));
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return done;
}

/** Finds files without a test in any runtime: a test of one runtime is no test of the other. */
function findEmpty(done: readonly JobResult[]): TestResult[] {
  const files = new Set(done.flatMap(({ job }) => job.files));
  for (const { job, results } of done) if (results.length > 0) job.files.forEach((file) => files.delete(file));
  return [...files].map((file) => ({ name: `${file}: no test was found`, outcome: "failed", seconds: 0 }));
}

/** Says which tests failed and which were skipped, and counts all. */
function summarize(done: readonly JobResult[], others: readonly TestResult[]): number {
  const named = [
    ...others,
    ...done.flatMap(({ job, results }) =>
      results.map((result) => ({ ...result, name: `${job.name}: ${result.name}` }))
    ),
  ];
  for (const outcome of ["skipped", "failed"] as const) {
    const names = named.filter((result) => result.outcome === outcome).map(({ name }) => name);
    if (names.length > 0) {
      print(`\n${outcome}:\n${names.map((name) => `  ${name.replaceAll("\n", "\\n")}`).join("\n")}`);
    }
  }
  const counts = countResults(named);
  if (counts.passed + counts.failed + counts.skipped === 0) {
    print("\nno test has this name");
    return 1;
  }
  print(`\n${formatCounts(counts)}`);
  return counts.failed === 0 ? 0 : 1;
}

/** Writes the coverage as pages and as lcov, and prints its table. */
async function reportCoverage(data: string): Promise<void> {
  const include = `^${pathToFileURL(ROOT).href}(?:${publishedModules.join("|").replaceAll(".", "\\.")})$`;
  for (const flags of [["--html"], ["--lcov", `--output=${COVERAGE}/lcov.info`], []]) {
    const { output } = await runProcess(Deno.execPath(), ["coverage", data, `--include=${include}`, ...flags]);
    if (flags.length === 0) print(output);
  }
  await Deno.rename(`${data}/html`, `${COVERAGE}/html`);
  await Deno.remove(data, { recursive: true });
  print(`pages: ${COVERAGE}/html/index.html`);
}

async function main({ files, runtimes: wanted, isPeers, width, one, isCovered }: Plan): Promise<number> {
  const { runtimes, missing } = availableRuntimes(wanted);
  const isReachable = await isJsrReachable();
  print(isReachable ? "@std: from JSR" : "@std: the stand-ins in tests/support/std, as JSR does not answer");
  const importFlags = isReachable ? [] : [`--import-map=${writeImportMap()}`];
  const coverage = isCovered ? `${COVERAGE}/raw` : undefined;
  if (isCovered) await Deno.remove(COVERAGE, { recursive: true }).catch(() => {});

  const times = readTimes();
  const jobs = listJobs({ files, runtimes, isPeers })
    .toSorted((left, right) => expectedSeconds(times, right.name) - expectedSeconds(times, left.name));
  const known = jobs.filter(({ name }) => times[name] !== undefined).length;
  const expected = expectedTotal(times, jobs.map(({ name }) => name), width);
  print(
    `${jobs.length} files to run, ${width} at a time: about ${formatSeconds(Math.ceil(expected))}` +
      (known > jobs.length / 2 ? ", as the last time" : ", a guess before the first run"),
  );

  const checked = await checkTypes(jobs, importFlags);
  const onOutput = one === null ? undefined : (bytes: Uint8Array) => void Deno.stdout.writeSync(bytes);
  const bunConfig = runtimes.includes("bun") ? writeBunConfig() : "";
  const done = await runAll(jobs, one === null ? width : 1, {
    importFlags,
    bunConfig,
    name: one?.name,
    coverage,
    onOutput,
  });
  if (one === null && !isCovered) writeTimes(Object.fromEntries(done.map(({ job, seconds }) => [job.name, seconds])));
  if (coverage !== undefined) await reportCoverage(coverage);
  const empty = one === null && runtimes.length === RUNTIMES.length ? findEmpty(done) : [];
  return summarize(done, [...missing, ...checked, ...empty]);
}

try {
  Deno.exit(await main(readPlan(Deno.args)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  print(`error: ${error.message}`);
  Deno.exit(2);
}
