/**
 * Changes the core one place at a time, and tells which changes no test notices. Deno only; the code itself is left
 * alone, as each worker has a copy of the repository.
 *
 *     deno task mutants [options]
 *
 *     --count=N          draws so many mutants beside the named ones (400)
 *     --seed=N           draws others (1)
 *     --workers=N        so many at a time (2)
 *     --only=TEXT        only mutants whose file, operator or name has this in it; may be repeated
 *     --named            only the named ones
 *     --again            runs those that are still alive once more
 *     --list             prints the mutants and runs none
 *     --simulation=FILE  the test file of the simulator; left out while there is no such file
 *     --results=FILE     where results are kept: a run that was broken off goes on from there
 *
 * A mutant is run against the tests of its room that reach its line, those that are fast and have killed others first,
 * up to the first that fails; see `targets.ts`. The exit code is 1 if a named mutant is alive, or more than a tenth of
 * all. `named.ts` has the named ones, `harmless.ts` those that change nothing.
 * @module
 */

import { parseArgs } from "node:util";

import { ROOT } from "../../support/package.ts";
import { formatSeconds } from "../../support/runner/results.ts";
import { measureTests } from "./coverage.ts";
import { drawMutants, type Mutant, namedMutants } from "./mutants.ts";
import { describeMutant, describeResult, killedShare, summarize } from "./report.ts";
import { SIMULATION, targetFiles, testsOf } from "./targets.ts";
import { isDead, readResults, type Result, runAll, Trial } from "./trial.ts";
import { Tree } from "./tree.ts";

const RESULTS = `${ROOT}node_modules/.maim/mutants/results.jsonl`;
const MIN_SHARE = 0.9;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    count: { type: "string", default: "400" },
    seed: { type: "string", default: "1" },
    workers: { type: "string", default: "2" },
    only: { type: "string", multiple: true },
    named: { type: "boolean", default: false },
    again: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    simulation: { type: "string", default: SIMULATION },
    results: { type: "string", default: RESULTS },
  },
});

function print(line: string): void {
  // deno-lint-ignore no-console -- this is a program.
  console.log(line);
}

function positive(name: "count" | "seed" | "workers"): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  print(`error: --${name} must be a whole number above 0; got "${values[name]}"`);
  Deno.exit(2);
}

function isWanted({ file, operator }: Mutant): boolean {
  return values.only?.some((text) => `${file} ${operator}`.includes(text)) ?? true;
}

/** The mutants of this run, named ones first. A drawn one that is also named is run once. */
function chooseMutants(): Mutant[] {
  const named = namedMutants();
  const sources = new Set(named.map(({ file, source }) => `${file} ${source}`));
  const drawn = values.named ? [] : drawMutants(positive("count"), positive("seed"));
  return [...named, ...drawn.filter(({ file, source }) => !sources.has(`${file} ${source}`))].filter(isWanted);
}

/** Runs mutants that have no result yet. */
async function runMutants(mutants: readonly Mutant[]): Promise<void> {
  const trees: Tree[] = [];
  const dispose = () => trees.splice(0).forEach((tree) => tree[Symbol.dispose]());
  Deno.addSignalListener("SIGINT", () => {
    dispose();
    Deno.exit(130);
  });
  try {
    const workers = Math.min(positive("workers"), mutants.length);
    for (let index = 0; index < workers; index++) trees.push(await Tree.create());
    const tests = (file: string) => testsOf(file, values.simulation);
    const needed = [...new Set(mutants.flatMap(({ file }) => tests(file)))];
    const trial = new Trial(tests, await measureTests(trees, needed, targetFiles(), print));
    const expected = mutants.reduce((sum, mutant) => sum + trial.expectedSeconds(mutant), 0) / workers;
    print(`${mutants.length} mutants to run, ${workers} at a time: about ${formatSeconds(expected)}`);
    const began = performance.now();
    const onResult = (result: Result, left: number): void => {
      const done = mutants.length - left;
      const rest = (performance.now() - began) / 1000 / done * left;
      print(`[${done}/${mutants.length}, ${formatSeconds(rest)} left]  ${describeResult(result)}`);
    };
    await runAll(trial, trees, mutants, values.results, onResult);
    print(`took ${formatSeconds((performance.now() - began) / 1000)}`);
  } finally {
    dispose();
  }
}

async function main(): Promise<number> {
  const mutants = chooseMutants();
  if (values.list) {
    for (const mutant of mutants) print(describeMutant(mutant));
    return 0;
  }
  const earlier = readResults(values.results);
  const waiting = mutants.filter(({ id }) => {
    const result = earlier.get(id);
    return result === undefined || (values.again && !isDead(result));
  });
  if (waiting.length < mutants.length) print(`${mutants.length - waiting.length} mutants have their result already`);
  if (waiting.length > 0) await runMutants(waiting);
  const all = readResults(values.results);
  const results = mutants.flatMap(({ id }) => all.get(id) ?? []);
  print(summarize(results));
  print(`\nresults: ${values.results}`);
  return killedShare(results) >= MIN_SHARE && results.every((each) => !each.isNamed || isDead(each)) ? 0 : 1;
}

Deno.exit(await main());
