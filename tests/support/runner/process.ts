/**
 * Runs one job as a process of its own and reads what became of it.
 * @module
 */

import { ROOT } from "../package.ts";
import { runtimeProgram } from "../peers/process.ts";
import type { Job } from "./jobs.ts";
import { readReport, type TestResult } from "./results.ts";

/** What a job is run with. */
export interface RunOptions {
  /** Options of `deno test` that choose where `@std/*` comes from. */
  readonly importFlags: readonly string[];
  /** The `tsconfig.json` for Bun. */
  readonly bunConfig: string;
  /** Runs only tests whose name has this in it. */
  readonly name?: string | undefined;
  /** Folder for coverage data; Deno only. */
  readonly coverage?: string | undefined;
  /** Sees what the process prints, as it comes. */
  readonly onOutput?: ((bytes: Uint8Array) => void) | undefined;
}

/** What became of a job. */
export interface JobResult {
  readonly job: Job;
  readonly results: readonly TestResult[];
  readonly seconds: number;
  /** Everything printed. */
  readonly output: string;
}

/** A file that takes longer hangs. */
const LIMIT_MS = 5 * 60_000;
const TEST_LIMIT_MS = 120_000;

function denoArgs({ files, isDoc }: Job, report: string, { importFlags, name, coverage }: RunOptions): string[] {
  return [
    ...["test", "-A", "--no-check", "--node-modules-dir=auto", `--junit-path=${report}`, ...importFlags],
    ...(isDoc ? ["--doc"] : []),
    ...(name === undefined ? [] : [`--filter=${name}`]),
    ...(coverage === undefined ? [] : [`--coverage=${coverage}`]),
    ...files,
  ];
}

function bunArgs({ files }: Job, report: string, { bunConfig, name }: RunOptions): string[] {
  return [
    ...["test", `--tsconfig-override=${bunConfig}`, `--timeout=${TEST_LIMIT_MS}`],
    ...["--reporter=junit", `--reporter-outfile=${report}`],
    ...(name === undefined ? [] : ["--test-name-pattern", name.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")]),
    ...files.map((file) => `./${file.replace(/^\.\//, "")}`),
  ];
}

/** Says what a job that ended badly without naming a test is counted as. */
function unexplained(text: string): TestResult {
  return { name: `(${text})`, outcome: "failed", seconds: 0 };
}

/** Reads the report of a process; one that failed for no test has failed all the same. */
async function readResults(report: string, end: string | null, { name }: RunOptions): Promise<TestResult[]> {
  const results = readReport(await Deno.readTextFile(report).catch(() => ""));
  // Those of another name count as skipped there.
  const wanted = name === undefined ? results : results.filter((result) => result.name.includes(name));
  if (results.length === 0) return end === null ? [] : [unexplained(end)];
  // Bun ends with 1 when no name fits.
  if (end === null || wanted.length === 0 || wanted.some(({ outcome }) => outcome === "failed")) return wanted;
  return [...wanted, unexplained(`outside of a test: ${end}`)];
}

/** Runs a job to its end. */
export async function runJob(job: Job, options: RunOptions): Promise<JobResult> {
  const began = performance.now();
  const report = await Deno.makeTempFile({ prefix: "maim-test-", suffix: ".xml" });
  const args = job.runtime === "deno" ? denoArgs(job, report, options) : bunArgs(job, report, options);
  try {
    const { output, end } = await runProcess(runtimeProgram(job.runtime), args, options);
    const results = await readResults(report, end, options);
    return { job, results, output, seconds: (performance.now() - began) / 1000 };
  } finally {
    await Deno.remove(report).catch(() => {});
  }
}

/** Runs a program and keeps what it prints; `end` says how it failed. */
export async function runProcess(
  command: string,
  args: readonly string[],
  { onOutput }: Pick<RunOptions, "onOutput"> = {},
): Promise<{ output: string; end: string | null }> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: ROOT,
    // What runs in Bun finds this very Deno, even where none is on the PATH.
    env: { MAIM_DENO: Deno.env.get("MAIM_DENO") ?? Deno.execPath(), NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, LIMIT_MS);
  let output = "";
  const record = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      onOutput?.(bytes);
      output += decoder.decode(bytes, { stream: true });
    }
  };
  const [{ code, signal }] = await Promise.all([child.status, record(child.stdout), record(child.stderr)]);
  clearTimeout(timer);
  if (isLate) return { output, end: `killed after ${LIMIT_MS / 1000} s` };
  return { output, end: code === 0 ? null : signal === null ? `exit code ${code}` : `ended by ${signal}` };
}
