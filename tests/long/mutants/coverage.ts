/**
 * Which test files run which lines, and how long each takes: a mutant is run only against tests that reach it.
 * @module
 */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { filesIn, publishedModules, readText, ROOT } from "../../support/package.ts";
import type { Tree } from "./tree.ts";

/** What one test file runs. */
export interface Measured {
  /** Changes with the test file, the code and what supports tests. */
  readonly key: string;
  readonly seconds: number;
  /** Lines that ran, by file. */
  readonly lines: Readonly<Record<string, readonly number[]>>;
}

type Stored = Record<string, Measured>;

const PATH = `${ROOT}node_modules/.maim/mutants/coverage.json`;
const LIMIT_MS = 5 * 60_000;

function readStored(): Stored {
  try {
    return JSON.parse(readFileSync(PATH, "utf8"));
  } catch {
    return {}; // the first run
  }
}

function digest(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text.length}\n${text}`);
  return hash.digest("hex");
}

function readLcov(lcov: string, tree: Tree): Measured["lines"] {
  const lines: Record<string, number[]> = {};
  let file = "";
  for (const text of lcov.split("\n")) {
    if (text.startsWith("SF:")) file = tree.pathOf(text.slice(3));
    const [, line, count] = /^DA:(\d+),(\d+)/.exec(text) ?? [];
    if (line !== undefined && count !== "0") (lines[file] ??= []).push(Number(line));
  }
  return lines;
}

/** Measures test files, those that were not measured before on the same code. Throws if one fails on unchanged code. */
export async function measureTests(
  trees: readonly Tree[],
  tests: readonly string[],
  files: readonly string[],
  print: (line: string) => void,
): Promise<ReadonlyMap<string, Measured>> {
  const stored = readStored();
  const support = filesIn("tests/support").filter((path) => path.endsWith(".ts"));
  const base = digest([...publishedModules, ...support].map(readText));
  const keys = new Map(tests.map((test) => [test, digest([base, readText(test)])]));
  const waiting = tests.filter((test) => stored[test]?.key !== keys.get(test));
  if (waiting.length > 0) print(`measuring which lines ${waiting.length} test files run`);
  const work = async (tree: Tree): Promise<void> => {
    for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) {
      const { outcome, output, seconds, lcov } = await tree.measure(test, LIMIT_MS, files);
      if (outcome !== "passed") {
        throw new Error(`Cannot run mutants as ${test} has ${outcome} on unchanged code:\n${output}`);
      }
      stored[test] = { key: keys.get(test)!, seconds, lines: readLcov(lcov, tree) };
      mkdirSync(dirname(PATH), { recursive: true });
      writeFileSync(PATH, JSON.stringify(stored));
    }
  };
  await Promise.all(trees.map(work));
  return new Map(tests.map((test) => [test, stored[test]!]));
}

/** How far a test file gets: it runs the line, or the function around it, or neither. */
export type Reach = "line" | "function" | "none";

/**
 * Tells how far a test file gets. A line of which only a part ran counts as one that did not, as in `if (a) return;`;
 * and of a line that no coverage knows, nothing can be told.
 */
export function reachOf(
  { lines }: Measured,
  file: string,
  line: number,
  [first, last]: readonly [number, number],
): Reach {
  const ran = lines[file] ?? [];
  if (ran.includes(line)) return "line";
  return ran.some((each) => first <= each && each <= last) ? "function" : "none";
}
