/**
 * Runs mutants against the tests that reach them, and keeps what became of each in a file: a run that was broken off
 * goes on where it was.
 * @module
 */

import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

import { type Measured, reachOf } from "./coverage.ts";
import type { Mutant } from "./mutants.ts";
import type { Tree } from "./tree.ts";

/** What became of a mutant; one line of the result file. */
export interface Result extends Omit<Mutant, "source" | "around"> {
  /** `killed` by a failed test, `timeout` by one that hung, `survived` all tests that reach it, `unreached` by any. */
  readonly outcome: "killed" | "timeout" | "survived" | "unreached";
  /** The test that killed it. */
  readonly by: string;
  readonly seconds: number;
}

/** A test that takes so much longer than on unchanged code hangs. */
const HANG_MS = 10_000;
/** A test that only enters the function is worth so many times less than one that runs the line. */
const FARTHER = 4;

/** Reads the results of earlier runs; the last one of a mutant counts. */
export function readResults(path: string): Map<string, Result> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return new Map(); // the first run
  }
  const results = new Map<string, Result>();
  for (const line of text.split("\n")) {
    try {
      const result: Result = JSON.parse(line);
      results.set(result.id, result);
    } catch {
      // The empty last line, or one that was being written when the run was broken off.
    }
  }
  return results;
}

/** Whether a mutant is dead. */
export function isDead({ outcome }: Result): boolean {
  return outcome === "killed" || outcome === "timeout";
}

/** The name of the first failed test. */
function failedTest(output: string): string {
  return /^(.+?) \.\.\. .*FAILED/m.exec(output)?.[1] ?? /^error: (.*)$/m.exec(output)?.[1] ?? "";
}

/** Runs mutants. */
export class Trial {
  readonly #tests: (file: string) => readonly string[];
  readonly #measured: ReadonlyMap<string, Measured>;
  /** Kills and runs of each test, by the file that was mutated: what has killed before is tried sooner. */
  readonly #record = new Map<string, { kills: number; runs: number }>();

  constructor(tests: (file: string) => readonly string[], measured: ReadonlyMap<string, Measured>) {
    this.#tests = tests;
    this.#measured = measured;
  }

  /** Tests that reach a mutant: those first that run its line itself, are fast, and have killed others. */
  testsFor({ file, line, around }: Mutant): string[] {
    const reaching = this.#tests(file).flatMap((test) => {
      const measured = this.#measured.get(test);
      const reach = measured === undefined ? "none" : reachOf(measured, file, line, around);
      return reach === "none" ? [] : [{ test, cost: this.#cost(file, test) * (reach === "line" ? 1 : FARTHER) }];
    });
    return reaching.toSorted((left, right) => left.cost - right.cost).map(({ test }) => test);
  }

  /** Seconds that a test takes for each mutant it kills, as far as is known. */
  #cost(file: string, test: string): number {
    const { kills, runs } = this.#record.get(`${file} ${test}`) ?? { kills: 0, runs: 0 };
    return this.#secondsOf(test) * (runs + 2) / (kills + 1);
  }

  #secondsOf(test: string): number {
    return this.#measured.get(test)?.seconds ?? 0;
  }

  /** Seconds that a mutant will take, by a guess: two tests if one of them kills it, all if none does. */
  expectedSeconds(mutant: Mutant): number {
    const seconds = this.testsFor(mutant).map((test) => this.#secondsOf(test));
    const all = seconds.reduce((sum, each) => sum + each, 0);
    return 0.75 * Math.min(all, (seconds[0] ?? 0) + (seconds[1] ?? 0)) + 0.25 * all;
  }

  /** Runs one mutant in a copy of the repository. */
  async run(mutant: Mutant, tree: Tree): Promise<Result> {
    const { source, around: _around, ...told } = mutant;
    const tests = this.testsFor(mutant);
    if (tests.length === 0) return { ...told, outcome: "unreached", by: "", seconds: 0 };
    let seconds = 0;
    tree.write(mutant.file, source);
    try {
      for (const test of tests) {
        const run = await tree.runTest(test, this.#secondsOf(test) * 1000 + HANG_MS);
        seconds += run.seconds;
        this.#note(mutant.file, test, run.outcome !== "passed");
        if (run.outcome === "passed") continue;
        const outcome = run.outcome === "timeout" ? "timeout" : "killed";
        return { ...told, outcome, by: `${test}: ${failedTest(run.output)}`, seconds };
      }
    } finally {
      tree.restore(mutant.file);
    }
    return { ...told, outcome: "survived", by: "", seconds };
  }

  #note(file: string, test: string, isKill: boolean): void {
    const key = `${file} ${test}`;
    const { kills, runs } = this.#record.get(key) ?? { kills: 0, runs: 0 };
    this.#record.set(key, { kills: kills + (isKill ? 1 : 0), runs: runs + 1 });
  }
}

/** Runs mutants in all trees at a time and writes each result down at once. */
export async function runAll(
  trial: Trial,
  trees: readonly Tree[],
  mutants: readonly Mutant[],
  path: string,
  onResult: (result: Result, left: number) => void,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const waiting = [...mutants];
  const work = async (tree: Tree): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const result = await trial.run(mutant, tree);
      appendFileSync(path, `${JSON.stringify(result)}\n`);
      onResult(result, waiting.length);
    }
  };
  await Promise.all(trees.map(work));
}
