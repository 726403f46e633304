/**
 * What there is to run: a process for each test file in each runtime, and for each group of documentation.
 * @module
 */

import { filesIn, publishedModules, publishedPages, readText } from "../package.ts";
import type { RuntimeName } from "../peers/process.ts";

/** One process. */
export interface Job {
  /** Runtime and file; it stays the same from run to run. */
  readonly name: string;
  readonly runtime: RuntimeName;
  /** Test files, or files with examples. */
  readonly files: readonly string[];
  /** Runs the examples in the files instead of tests. */
  readonly isDoc: boolean;
}

/** What is asked for. */
export interface Selection {
  /** Files to run; none stands for all. */
  readonly files: readonly string[];
  readonly runtimes: readonly RuntimeName[];
  /** Runs the tests that need Python or other programs, instead of all others. */
  readonly isPeers: boolean;
}

const PEERS = "tests/peers/";

function isTest(path: string): boolean {
  return path.endsWith("_test.ts");
}

/** An example: a block of TypeScript or JavaScript in a page or a docstring that is not marked as not to be run. */
const EXAMPLE = /^\s*(?:\* )?```(?:ts|tsx|js|jsx|typescript|javascript)\b(?!.*\bignore\b)/m;

/** Groups what has examples: an example of a page takes longer than one of a docstring. */
function docJobs(files: readonly string[]): Job[] {
  const documented = files.filter((path) => EXAMPLE.test(readText(path)));
  const modules = documented.filter((path) => path.endsWith(".ts"));
  const pages = documented.filter((path) => path.endsWith(".md")).map((path) => [path, [path]] as const);
  const groups = [...pages, ...(modules.length === 0 ? [] : [["docstrings", modules] as const])];
  return groups.map(([name, group]) => ({
    name: `deno examples in ${name}`,
    runtime: "deno",
    files: group,
    isDoc: true,
  }));
}

function testJobs(files: readonly string[], runtimes: readonly RuntimeName[]): Job[] {
  return runtimes.flatMap((runtime) =>
    files.map((file) => ({ name: `${runtime} ${file}`, runtime, files: [file], isDoc: false }))
  );
}

/** Lists the processes that a selection stands for. */
export function listJobs({ files, runtimes, isPeers }: Selection): Job[] {
  const tests = files.length === 0
    ? filesIn("tests").filter((path) => isTest(path) && path.startsWith(PEERS) === isPeers)
    : files.filter(isTest);
  const documented = files.length === 0
    ? isPeers ? [] : [...publishedModules, ...publishedPages]
    : files.filter((path) => !isTest(path));
  return [...testJobs(tests, runtimes), ...(runtimes.includes("deno") ? docJobs(documented) : [])];
}
