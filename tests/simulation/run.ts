/**
 * Runs simulations.
 *
 *     deno task sim [--runs=2000] [--from=1] [--jobs=2] [--runtime=deno|bun] [--ignore=RULE,RULE]
 *     deno task sim --seed=N [--trace] [--shrink=RULE]
 *     deno task sim --kept=NAME [--trace]
 *
 * The first form runs many seeds and prints what faults were drawn and what came of them; the exit code is 1 if a rule
 * did not hold. The second repeats one seed and prints its scenario and what happened; with `--shrink`, the smallest
 * scenario found that breaks the rule. The third runs a scenario that was kept.
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";

import type { RuntimeName } from "../support/peers/process.ts";
import { runCampaign } from "./campaign.ts";
import { KEPT } from "./kept.ts";
import { runChild } from "./launch.ts";
import { faultTable } from "./statistics.ts";
import type { ChildTask } from "./task.ts";
import { type RuleName, RULES, type Violation } from "./violations.ts";

/** Lines of a trace that are printed without `--trace`. */
const TAIL = 40;
const PROGRESS_EVERY = 10_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Lists each rule that was broken, with the seeds. */
function summary(failures: ReadonlyMap<number, readonly Violation[]>): string[] {
  const seeds = new Map<RuleName, number[]>();
  for (const [seed, violations] of failures) {
    for (const rule of new Set(violations.map(({ rule }) => rule))) {
      seeds.set(rule, [...seeds.get(rule) ?? [], seed]);
    }
  }
  return [...seeds].map(([rule, list]) => {
    const shown = list.slice(0, 10).join(", ");
    return `BROKEN ${rule} (${RULES[rule]}): ${list.length} seeds: ${shown}${list.length > 10 ? ", ..." : ""}`;
  });
}

async function runMany(values: Record<string, string | boolean | undefined>): Promise<number> {
  let last = Date.now();
  const { counts, failures, seconds } = await runCampaign({
    from: Number(values.from ?? 1),
    runs: Number(values.runs ?? 2000),
    jobs: Number(values.jobs ?? 2),
    runtime: (values.runtime ?? "deno") as RuntimeName,
    ignored: `${values.ignore ?? ""}`.split(",").filter((name) => name in RULES) as RuleName[],
    onProgress(runs, failed) {
      if (Date.now() - last < PROGRESS_EVERY) return;
      last = Date.now();
      say(`${runs} runs, ${failed} failed`);
    },
  });
  const { runs, events, taken, handled, thrown, dropped, needless } = counts;
  say(`${runs} runs in ${seconds.toFixed(1)} s, ${(events / runs).toFixed(0)} events a run`);
  say(
    `messages: ${taken} taken, ${handled} handled, ${dropped} reported (${needless} of them handled), ${thrown} thrown`,
  );
  for (const line of [...faultTable(counts), ...summary(failures)]) say(line);
  const [first] = failures;
  if (first === undefined) return 0;
  say(`deno task sim --seed=${first[0]} --trace shows the first:`);
  await showOne({ do: "one", seed: first[0] }, false);
  return 1;
}

/** Runs one scenario; returns the number of violations. */
async function showOne(task: ChildTask, isWhole: boolean): Promise<number> {
  let count = 0;
  await runChild(task, (report) => {
    if (report.is !== "run") return;
    const { scenario, trace, violations } = report;
    count = violations.length;
    if (isWhole) say(JSON.stringify(scenario, null, 2));
    if (!isWhole && trace.length > TAIL) say(`... ${trace.length - TAIL} lines before`);
    for (const line of isWhole ? trace : trace.slice(-TAIL)) say(line);
    for (const { rule, text } of violations) say(`BROKEN ${rule}: ${text}`);
  });
  return count;
}

async function main(): Promise<number> {
  const text = { type: "string" } as const;
  const options = {
    runs: text,
    from: text,
    jobs: text,
    runtime: text,
    ignore: text,
    seed: text,
    shrink: text,
    kept: text,
    trace: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ options });
  if (values.seed === undefined && values.kept === undefined) return await runMany(values);
  const scenario = KEPT.find(({ name }) => name === values.kept)?.scenario;
  if (values.kept !== undefined && scenario === undefined) {
    say(`No kept scenario "${values.kept}"; there are: ${KEPT.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const given = { seed: Number(values.seed ?? 0), ...(scenario === undefined ? {} : { scenario }) };
  const task: ChildTask = values.shrink === undefined
    ? { do: "one", ...given }
    : { do: "shrink", ...given, rule: values.shrink as RuleName };
  return await showOne(task, values.trace === true || values.shrink !== undefined) > 0 ? 1 : 0;
}

if (import.meta.main) process.exit(await main());
