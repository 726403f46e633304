/**
 * The process that runs scenarios. `launch.ts` starts it so that `runtime/mod.ts` is the simulated runtime. It reads
 * one task as an argument and prints one report a line.
 * @module
 */

import process from "node:process";

import { drawScenario } from "./scenario.ts";
import type { Scenario } from "./scenario_types.ts";
import { runScenario } from "./run_scenario.ts";
import { shrink } from "./shrink.ts";
import { sim } from "./simulation.ts";
import { newCounts } from "./statistics.ts";
import type { ChildReport, ChildTask } from "./task.ts";

/** Milliseconds between two reports of progress. */
const PROGRESS_EVERY = 1000;

function report(line: ChildReport): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A rejection that nobody handles ends a real process. */
process.on("unhandledRejection", (error) => sim.observer.broken("uncaught", `unhandled rejection: ${error}`));

async function runSeeds({ from, to, ignored = [] }: ChildTask & { do: "seeds" }): Promise<void> {
  const counts = newCounts();
  const rules = new Set(ignored);
  let last = Date.now();
  for (let seed = from; seed < to; seed++) {
    const { violations } = await runScenario(drawScenario(seed), { counts, ignored: rules });
    if (violations.length > 0) report({ is: "violations", seed, violations });
    if (Date.now() - last < PROGRESS_EVERY) continue;
    last = Date.now();
    report({ is: "progress", runs: counts.runs });
  }
  report({ is: "counts", counts });
}

async function runOne(scenario: Scenario, { ignored = [] }: ChildTask & { do: "one" }): Promise<void> {
  const { violations, trace } = await runScenario(scenario, { ignored: new Set(ignored), isTraced: true });
  report({ is: "run", scenario, violations, trace });
}

const task = JSON.parse(process.argv[2] ?? "") as ChildTask;
switch (task.do) {
  case "seeds":
    await runSeeds(task);
    break;
  case "one":
    await runOne(task.scenario ?? drawScenario(task.seed), task);
    break;
  case "shrink": {
    const scenario = await shrink(task.scenario ?? drawScenario(task.seed), task.rule);
    await runOne(scenario, { do: "one", seed: task.seed });
  }
}
